//! The differences to the base, with their intervals.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::drawing::{self, Area, Result, line, px, shortened, text_style, text_width};
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

/// A variant's row: its name, its look, and the differences of its best and its last epoch.
struct Row<'a> {
    name: &'a str,
    style: LineStyle,
    best: Difference,
    last: Difference,
}

/// Draws the differences of the accuracies to the base's, in percentage points; `None` where there
/// are none.
pub(super) fn draw(
    record: &AblationRecord,
    summary: &Summary,
) -> std::result::Result<Option<Chart>, ReportError> {
    let names = summary.rows.iter().map(|row| row.name.as_str());
    let styles = LineStyle::all(names, &record.base);
    let rows: Vec<_> = summary
        .rows
        .iter()
        .zip(styles)
        .filter_map(|(row, style)| {
            Some(Row {
                name: &row.name,
                style,
                best: in_points(row.best_difference?),
                last: in_points(row.final_difference?),
            })
        })
        .collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let ends = rows
        .iter()
        .flat_map(|row| ends(&row.best).into_iter().chain(ends(&row.last)));
    let (low, high) = ends.fold((0.0_f64, 0.0_f64), |(low, high), end| {
        (low.min(end), high.max(end))
    });
    // Some room, so that no mark stands on the edge.
    let margin = 0.04 * (high - low);
    let x = Axis::around(low - margin, high + margin, 6).signed();
    let described = rows
        .iter()
        .map(|row| format!("{} {:+.2}", row.name, row.best.mean));
    let description = format!(
        "Differences of the best epochs, in percentage points: {}.",
        described.collect::<Vec<_>>().join(", ")
    );
    let height = TOP + ROW * rows.len() as f64 + BOTTOM;
    drawing::chart(
        "differences",
        format!("Difference to {} in test top-1", record.base),
        description,
        (WIDTH as u32, height as u32),
        |area| draw_all(area, &rows, &x),
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

fn draw_all(area: &Area, rows: &[Row], x: &Axis) -> Result {
    drawing::heading(area, "Difference to base in test top-1 (percentage points)")?;
    draw_key(area)?;
    let names = rows.iter().map(|row| shortened(row.name, LABEL_LETTERS));
    let widths = names.map(|name| text_width(&name, drawing::NORMAL));
    let left = 12.0 + widths.fold(0.0, f64::max);
    let count = rows.len() as f64;
    let mut plot = ChartBuilder::on(area)
        .margin_top(px(TOP))
        .margin_right(px(RIGHT))
        .x_label_area_size(px(BOTTOM))
        .y_label_area_size(px(left))
        .build_cartesian_2d(x.clone(), count..0.0)?;
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
    let zero = PathElement::new([(0.0, 0.0), (0.0, count)], line(theme::AXIS, 1.5));
    plot.draw_series([zero])?;
    for (row, index) in rows.iter().zip(0..) {
        let middle = f64::from(index) + 0.5;
        let place = |value: f64, offset: f64| plot.backend_coord(&(value, middle + offset));
        draw_mark(area, &row.best, row.style, true, |v| place(v, -OFFSET))?;
        draw_mark(area, &row.last, row.style, false, |v| place(v, OFFSET))?;
        let name_place = (px(1.0), place(0.0, 0.0).1);
        let style = text_style(theme::INK, drawing::NORMAL, (HPos::Left, VPos::Center));
        let name = shortened(row.name, LABEL_LETTERS);
        drawing::write(area, &name, name_place, &style)?;
    }
    Ok(())
}

fn draw_key(area: &Area) -> Result {
    let style = text_style(theme::MUTED, drawing::SMALL, (HPos::Left, VPos::Center));
    let muted = LineStyle::of_key();
    let bare = Difference {
        mean: 0.0,
        interval: None,
    };
    let mut left = 6.0;
    let entries = [(true, "best epoch"), (false, "last epoch")];
    for (filled, text) in entries {
        draw_mark(area, &bare, muted, filled, |_| (px(left), px(35.0)))?;
        drawing::write(area, text, (px(left + 9.0), px(35.0)), &style)?;
        left += 26.0 + text_width(text, drawing::SMALL);
    }
    let text = "bar: 95 % interval";
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
    let middle = place(difference.mean);
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
    use crate::report::synthetic;

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
    fn one_seed_has_dots_only_and_no_run_nothing() {
        assert!(drawn(&synthetic::single_seed()).is_some());
        assert!(drawn(&synthetic::incomplete()).is_some());
        assert!(drawn(&synthetic::not_started()).is_none());
    }
}
