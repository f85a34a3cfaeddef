//! The differences to the base, with their intervals.

use std::error::Error;

use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::drawing::{self, Area, Layer, Result, line, px, text_style, text_width};
use super::labels::Labels;
use super::theme::{self, LineStyle};
use super::ticks::Axis;
use super::{Chart, ReportError};
use crate::record::AblationRecord;
use crate::report::statistics::Difference;
use crate::report::summary::Summary;

const WIDTH: f64 = 540.0;
/// Room for the heading and the key.
const TOP: f64 = 58.0;
/// Room for the ticks.
const BOTTOM: f64 = 30.0;
/// Height of a variant's row.
const ROW: f64 = 44.0;
const RIGHT: f64 = 20.0;
/// Distance of a row's two marks from its middle, in rows.
const OFFSET: f64 = 0.16;
const LABEL_LETTERS: usize = 26;

type Plot<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<Axis, RangedCoordf64>>;

/// A variant's row.
struct Row<'a> {
    /// Its place in the record.
    variant: usize,
    name: &'a str,
    label: String,
    style: LineStyle,
    content: Content,
}

/// What a row shows.
enum Content {
    /// The differences of the best and the last epoch.
    Differences([Difference; 2]),
    /// That there are none, because so many runs diverged.
    Diverged(String),
}

impl Row<'_> {
    fn differences(&self) -> &[Difference] {
        match &self.content {
            Content::Differences(differences) => differences,
            Content::Diverged(_) => &[],
        }
    }
}

/// Draws the differences of the accuracies to the base's, in percentage points; `None` where there
/// are none.
pub(super) fn draw(
    record: &AblationRecord,
    summary: &Summary,
) -> std::result::Result<Option<Chart>, ReportError> {
    let names = summary.rows.iter().map(|row| row.name.as_str());
    let styles = LineStyle::all(names.clone(), &record.base);
    let labels = Labels::of(names, LABEL_LETTERS);
    let looks = styles.into_iter().zip(labels.texts);
    let rows: Vec<_> = summary
        .rows
        .iter()
        .zip(looks)
        .enumerate()
        .filter_map(|(variant, (row, (style, label)))| {
            let differences = row.best_difference.zip(row.final_difference);
            let content = match differences {
                Some((best, last)) => Content::Differences([best, last].map(in_points)),
                None if row.is_base || row.best_top1.is_some() => return None,
                None => Content::Diverged(row.runs.diverged_text()?),
            };
            Some(Row {
                variant,
                name: &row.name,
                label,
                style,
                content,
            })
        })
        .collect();
    if rows.iter().all(|row| row.differences().is_empty()) {
        return Ok(None);
    }
    let ends = rows.iter().flat_map(Row::differences).flat_map(ends);
    let (low, high) = ends.fold((0.0_f64, 0.0_f64), |(low, high), end| {
        (low.min(end), high.max(end))
    });
    // Some room, so that no mark stands on the edge.
    let margin = 0.04 * (high - low);
    let x = Axis::around(low - margin, high + margin, 6).signed();
    let described = rows.iter().map(|row| match &row.content {
        Content::Differences([best, _]) => format!("{} {:+.2}", row.name, best.mean),
        Content::Diverged(text) => format!("{}: {text}", row.name),
    });
    let description = format!(
        "Differences of the best epochs, in percentage points: {}.",
        described.collect::<Vec<_>>().join(", ")
    );
    let shared = labels.shared.as_deref();
    let top = match shared {
        Some(_) => TOP + drawing::SHARED,
        None => TOP,
    };
    let height = top + ROW * rows.len() as f64 + BOTTOM;
    let forest = Forest { rows, x, top };
    let mut layers = vec![Layer::shared("frame", |area| {
        if let Some(shared) = shared {
            drawing::shared(area, "variants", shared, 52.0, WIDTH)?;
        }
        forest.draw_frame(area)
    })];
    for (index, row) in forest.rows.iter().enumerate() {
        let forest = &forest;
        layers.push(Layer::of_variant("row", row.variant, move |area| {
            forest.draw_row(area, index, row)
        }));
    }
    drawing::layered(
        "differences",
        format!("Difference to {} in test top-1", record.base),
        description,
        (WIDTH as u32, height as u32),
        &layers,
    )
    .map(Some)
}

fn in_points(difference: Difference) -> Difference {
    let mut points = difference;
    points.mean *= 100.0;
    if let Some(interval) = &mut points.interval {
        interval.low *= 100.0;
        interval.high *= 100.0;
    }
    points
}

fn ends(difference: &Difference) -> Vec<f64> {
    match difference.interval {
        Some(interval) => vec![interval.low, interval.high],
        None => vec![difference.mean],
    }
}

/// The content of the chart.
struct Forest<'a> {
    rows: Vec<Row<'a>>,
    x: Axis,
    /// Room above the rows.
    top: f64,
}

impl Forest<'_> {
    fn plot<'a>(&self, area: &Area<'a>) -> std::result::Result<Plot<'a>, Box<dyn Error>> {
        let widths = self
            .rows
            .iter()
            .map(|row| text_width(&row.label, drawing::NORMAL));
        let left = 12.0 + widths.fold(0.0, f64::max);
        let plot = ChartBuilder::on(area)
            .margin_top(px(self.top))
            .margin_right(px(RIGHT))
            .x_label_area_size(px(BOTTOM))
            .y_label_area_size(px(left))
            .build_cartesian_2d(self.x.clone(), self.rows.len() as f64..0.0)?;
        Ok(plot)
    }

    fn draw_frame(&self, area: &Area) -> Result {
        drawing::heading(area, "Difference to base in test top-1 (percentage points)")?;
        draw_key(area, &self.rows)?;
        let mut plot = self.plot(area)?;
        plot.configure_mesh()
            .disable_y_mesh()
            .axis_style(TRANSPARENT)
            .y_labels(0)
            .bold_line_style(line(theme::GRID, 1.0))
            .set_all_tick_mark_size(px(3.0))
            .label_style(text_style(
                theme::MUTED,
                drawing::SMALL,
                (HPos::Center, VPos::Top),
            ))
            .draw()?;
        let ends = [(0.0, 0.0), (0.0, self.rows.len() as f64)];
        plot.draw_series([PathElement::new(ends, line(theme::AXIS, 1.5))])?;
        Ok(())
    }

    fn draw_row(&self, area: &Area, index: usize, row: &Row) -> Result {
        let plot = self.plot(area)?;
        let middle = index as f64 + 0.5;
        let place = |value: f64, offset: f64| plot.backend_coord(&(value, middle + offset));
        match &row.content {
            Content::Differences([best, last]) => {
                draw_mark(area, best, row.style, true, |v| place(v, -OFFSET))?;
                draw_mark(area, last, row.style, false, |v| place(v, OFFSET))?;
            }
            Content::Diverged(text) => {
                let (zero, y) = place(0.0, 0.0);
                let (columns, _) = plot.plotting_area().get_pixel_range();
                // On the side of zero that has more room.
                let (anchor, x) = match zero - columns.start > columns.end - zero {
                    true => (HPos::Right, zero - px(8.0)),
                    false => (HPos::Left, zero + px(8.0)),
                };
                let style = text_style(theme::MUTED, drawing::SMALL, (anchor, VPos::Center));
                drawing::write(area, text, (x, y), &style)?;
            }
        }
        let name_place = (px(1.0), place(0.0, 0.0).1);
        let style = text_style(theme::INK, drawing::NORMAL, (HPos::Left, VPos::Center));
        drawing::write(area, &row.label, name_place, &style)
    }
}

fn draw_key(area: &Area, rows: &[Row]) -> Result {
    let style = text_style(theme::MUTED, drawing::SMALL, (HPos::Left, VPos::Center));
    let muted = LineStyle::of_key();
    let mut left = 6.0;
    let entries = [(true, "best epoch"), (false, "last epoch")];
    for (filled, text) in entries {
        draw_dot(area, (px(left), px(35.0)), muted, filled)?;
        drawing::write(area, text, (px(left + 9.0), px(35.0)), &style)?;
        left += 26.0 + text_width(text, drawing::SMALL);
    }
    let mut differences = rows.iter().flat_map(Row::differences);
    let text = match differences.any(|difference| difference.interval.is_some()) {
        true => "bar: 95 % interval",
        false => "no intervals",
    };
    drawing::write(area, text, (px(left), px(35.0)), &style)
}

/// Draws an interval as a bar and its middle as a dot, hollow unless `filled`.
fn draw_mark(
    area: &Area,
    difference: &Difference,
    style: LineStyle,
    filled: bool,
    place: impl Fn(f64) -> (i32, i32),
) -> Result {
    let stroke = line(style.colour, 1.75);
    if let Some(interval) = difference.interval {
        let ends = [place(interval.low), place(interval.high)];
        area.draw(&PathElement::new(ends, stroke))?;
        for (x, y) in ends {
            let cap = [(x, y - px(3.5)), (x, y + px(3.5))];
            area.draw(&PathElement::new(cap, stroke))?;
        }
    }
    draw_dot(area, place(difference.mean), style, filled)
}

/// Draws the middle of an interval, hollow unless `filled`.
fn draw_dot(area: &Area, middle: (i32, i32), style: LineStyle, filled: bool) -> Result {
    area.draw(&Circle::new(middle, px(4.5), style.colour.rgb().filled()))?;
    if !filled {
        let hole = theme::PAPER.rgb().filled();
        area.draw(&Circle::new(middle, px(2.75), hole))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;

    fn drawn(record: &AblationRecord) -> Option<Chart> {
        draw(record, &Summary::of(record)).unwrap()
    }

    #[test]
    fn every_variant_but_the_base_has_a_row() {
        let record = synthetic::complete();
        let chart = drawn(&record).unwrap();
        for variant in &record.variants[1..] {
            assert!(chart.body.contains(&format!("\n{}\n", variant.name)));
        }
        assert!(!chart.body.contains(&format!("\n{}\n", record.base)));
    }

    #[test]
    fn labels_differ_and_diverged_variants_say_so() {
        let chart = drawn(&synthetic::grid()).unwrap();
        for value in ["true, relu", "false, none", "false, elu"] {
            assert!(chart.body.contains(&format!("\n{value}\n")), "{value}");
        }
        let chart = drawn(&synthetic::diverged()).unwrap();
        assert!(chart.body.contains("\n3 of 3 runs diverged\n"));
        assert!(
            chart
                .description
                .contains("no-residual: 3 of 3 runs diverged")
        );
        assert!(chart.body.contains("bar: 95 % interval"));
        let chart = drawn(&synthetic::single_seed()).unwrap();
        assert!(chart.body.contains("no intervals") && !chart.body.contains("bar: 95"));
    }

    #[test]
    fn one_seed_has_dots_only_and_no_run_nothing() {
        assert!(drawn(&synthetic::single_seed()).is_some());
        assert!(drawn(&synthetic::incomplete()).is_some());
        assert!(drawn(&synthetic::not_started()).is_none());
    }
}
