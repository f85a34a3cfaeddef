//! Accuracy against a cost, with the variants that no other beats in both.

use std::error::Error;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::drawing::{self, Area, Layer, Result, line, px, text_style, text_width};
use super::labels::Labels;
use super::names::{self, Name};
use super::plot::{self, BOTTOM, LaidOut};
use super::theme::{self, LineStyle};
use super::ticks::Axis;
use super::{Chart, ReportError};
use crate::record::AblationRecord;
use crate::report::front::{Cost, Front, FrontPoint};
use crate::report::summary::Summary;

const WIDTH: f64 = 500.0;
/// Height, where the names of the variants need no more.
const HEIGHT: f64 = 330.0;
/// Room for the heading and the key.
const TOP: f64 = 58.0;
/// Names longer than this are shortened.
const LABEL_LETTERS: usize = 18;

/// Draws accuracy against each cost that is known.
pub(super) fn draw_all(
    record: &AblationRecord,
    summary: &Summary,
) -> std::result::Result<Vec<Chart>, ReportError> {
    let fronts = summary.fronts.iter();
    fronts
        .map(|front| Drawing::new(record, front).chart())
        .collect()
}

/// The content of a chart.
struct Drawing<'a> {
    front: &'a Front,
    /// How each point looks.
    styles: Vec<LineStyle>,
    /// The short names of the points.
    labels: Labels,
    /// From the recorded cost to the axis.
    scale: f64,
    /// Unit of the axis.
    unit: &'static str,
    x: Axis,
    y: Axis,
    /// Room for the names.
    right: f64,
    /// Room above the points.
    top: f64,
}

impl<'a> Drawing<'a> {
    fn new(record: &AblationRecord, front: &'a Front) -> Self {
        let all = LineStyle::all(
            record.variants.iter().map(|v| v.name.as_str()),
            &record.base,
        );
        let style = |point: &FrontPoint| all.get(point.variant).copied();
        let styles = front.points.iter().filter_map(style).collect();
        let labels = Labels::of(front.points.iter().map(|p| p.name.as_str()), LABEL_LETTERS);
        let highest = front
            .points
            .iter()
            .map(|point| point.cost)
            .fold(0.0, f64::max);
        let (scale, unit) = unit(front.cost, highest);
        let costs = front.points.iter().map(|point| point.cost * scale);
        let accuracies = front
            .points
            .iter()
            .flat_map(|point| ends(point).map(|end| 100.0 * end));
        Self {
            front,
            styles,
            scale,
            unit,
            x: around(costs, 4),
            y: around(accuracies, 5),
            right: names::room(labels.texts.iter()),
            top: match labels.shared {
                Some(_) => TOP + drawing::SHARED,
                None => TOP,
            },
            labels,
        }
    }

    fn chart(&self) -> std::result::Result<Chart, ReportError> {
        let heights = names::HEIGHT * (self.front.points.len() + 1) as f64;
        let size = (WIDTH as u32, HEIGHT.max(self.top + heights + BOTTOM) as u32);
        let stem = self.front.cost.stem();
        let (place, names, heights, columns) = drawing::measured(stem, size, |area| {
            let plot = self.plot(area)?;
            let names = self.names(&plot);
            let (columns, rows) = plot.plotting_area().get_pixel_range();
            let heights = names::heights(&names, &rows).unwrap_or_default();
            Ok((
                plot::Plot::of(&plot, &self.x, &self.y),
                names,
                heights,
                columns,
            ))
        })?;
        let mut layers = vec![
            Layer::shared("axes", |area| self.draw_axes(area)),
            Layer::shared("frame", |area| self.draw_frame(area)),
            Layer::shared("front", |area| self.draw_front(area)),
        ];
        let columns = &columns;
        for (name, height) in names.iter().zip(heights) {
            layers.push(Layer::of_variant("label", name.variant, move |area| {
                name.draw(area, height, columns)
            }));
        }
        for (point, style) in self.front.points.iter().zip(&self.styles) {
            layers.push(Layer::of_variant("point", point.variant, move |area| {
                self.draw_point(area, point, style)
            }));
        }
        let accuracy = self.front.accuracy.name();
        let title = format!("{} against {}", capital(accuracy), self.front.cost.name());
        let chart = drawing::layered(stem, title, self.description(), size, &layers)?;
        Ok(Chart {
            plot: Some(place),
            ..chart
        })
    }

    fn description(&self) -> String {
        let on = self.front.points.iter().filter(|point| point.on_front);
        let on: Vec<_> = on
            .map(|point| format!("{} {:.2} %", point.name, 100.0 * point.top1.mean))
            .collect();
        format!("On the Pareto front: {}.", on.join(", "))
    }

    fn plot<'b>(&self, area: &Area<'b>) -> std::result::Result<LaidOut<'b>, Box<dyn Error>> {
        plot::lay_out(area, [self.top, self.right], &self.x, &self.y)
    }

    fn draw_axes(&self, area: &Area) -> Result {
        plot::draw_axes(self.plot(area)?, true)
    }

    fn draw_frame(&self, area: &Area) -> Result {
        let cost = match self.front.cost {
            Cost::Parameters => "parameters",
            Cost::MultiplyAdds => "multiply-adds",
            Cost::SecondsPerStep => "step time",
        };
        drawing::heading(area, &format!("Test top-1 (%) against {cost}"))?;
        let style = text_style(theme::MUTED, drawing::SMALL, (HPos::Left, VPos::Center));
        let all_compared = self.front.points.iter().all(|point| point.compared);
        let hollow = match all_compared {
            true => "beaten by another",
            false => "beaten, or not compared",
        };
        let mut left = 6.0;
        for (text, filled) in [("on the Pareto front", true), (hollow, false)] {
            draw_dot(area, (px(left), px(35.0)), LineStyle::of_key(), filled)?;
            drawing::write(area, text, (px(left + 9.0), px(35.0)), &style)?;
            left += 22.0 + text_width(text, drawing::SMALL);
        }
        if self
            .front
            .points
            .iter()
            .any(|point| point.top1.sd.is_some())
        {
            drawing::write(area, "bar: ± deviation", (px(left), px(35.0)), &style)?;
        }
        if let Some(shared) = &self.labels.shared {
            drawing::shared(area, "variants", shared, 52.0, WIDTH)?;
        }
        let mut plot = self.plot(area)?;
        let floor = [(self.x.low, self.y.low), (self.x.high, self.y.low)];
        plot.draw_series([PathElement::new(floor, line(theme::AXIS, 1.0))])?;
        let middle = plot.backend_coord(&((self.x.low + self.x.high) / 2.0, self.y.low));
        let beneath = (middle.0, middle.1 + px(24.0));
        let centred = text_style(theme::MUTED, drawing::SMALL, (HPos::Center, VPos::Top));
        drawing::write(area, &capital(self.unit), beneath, &centred)
    }

    /// Draws the front as steps: up where a costlier variant is more accurate.
    fn draw_front(&self, area: &Area) -> Result {
        let plot = self.plot(area)?;
        let on = self.front.points.iter().filter(|point| point.on_front);
        let mut corners: Vec<(f64, f64)> = on.map(|point| self.place(point)).collect();
        corners.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut steps: Vec<(i32, i32)> = Vec::new();
        for corner in corners {
            let (x, y) = plot.backend_coord(&corner);
            steps.extend(steps.last().map(|last| (x, last.1)));
            steps.push((x, y));
        }
        let (columns, _) = plot.plotting_area().get_pixel_range();
        steps.extend(steps.last().map(|last| (columns.end, last.1)));
        area.draw(&PathElement::new(steps, line(theme::AXIS, 1.5)))?;
        Ok(())
    }

    fn draw_point(&self, area: &Area, point: &FrontPoint, style: &LineStyle) -> Result {
        let plot = self.plot(area)?;
        let (x, _) = self.place(point);
        if point.top1.sd.is_some() {
            let bar = ends(point).map(|end| plot.backend_coord(&(x, 100.0 * end)));
            area.draw(&PathElement::new(bar, line(style.colour, 1.75)))?;
        }
        draw_dot(
            area,
            plot.backend_coord(&self.place(point)),
            *style,
            point.on_front,
        )
    }

    /// Returns the place of a point on the axes.
    fn place(&self, point: &FrontPoint) -> (f64, f64) {
        (point.cost * self.scale, 100.0 * point.top1.mean)
    }

    /// Returns the names of the points.
    fn names(&self, plot: &LaidOut) -> Vec<Name<'_>> {
        let looks = self.labels.texts.iter().zip(&self.styles);
        let points = self.front.points.iter().zip(looks);
        let named = points.map(|(point, (label, style))| Name {
            variant: point.variant,
            label,
            colour: style.colour,
            point: plot.backend_coord(&self.place(point)),
        });
        named.collect()
    }
}

/// Returns the ends of a point's bar: its mean less and plus the deviation.
fn ends(point: &FrontPoint) -> [f64; 2] {
    let sd = point.top1.sd.unwrap_or(0.0);
    [point.top1.mean - sd, point.top1.mean + sd]
}

/// Returns an axis around values, with some room so that no point stands on an edge.
fn around(values: impl Iterator<Item = f64>, count: usize) -> Axis {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    // Equal values stand in the middle of a tenth of themselves.
    let margin = match high > low {
        true => 0.06 * (high - low),
        false => 0.05 * high.abs(),
    };
    Axis::around(low - margin, high + margin, count)
}

/// Returns the factor from a cost to its axis, and the axis' unit.
fn unit(cost: Cost, highest: f64) -> (f64, &'static str) {
    let by = |units: [(f64, &'static str); 4]| {
        let fits = units.into_iter().find(|(size, _)| highest >= *size);
        fits.map_or((1.0, units[3].1), |(size, name)| (1.0 / size, name))
    };
    match cost {
        Cost::Parameters => by([
            (1e9, "thousand millions of parameters"),
            (1e6, "millions of parameters"),
            (1e3, "thousands of parameters"),
            (1.0, "parameters"),
        ]),
        Cost::MultiplyAdds => by([
            (1e9, "multiply-adds an image (G)"),
            (1e6, "multiply-adds an image (M)"),
            (1e3, "multiply-adds an image (k)"),
            (1.0, "multiply-adds an image"),
        ]),
        Cost::SecondsPerStep if highest >= 10.0 => {
            (1.0, "seconds of a training step, in the fastest epoch")
        }
        Cost::SecondsPerStep => (1e3, "milliseconds of a training step, in the fastest epoch"),
    }
}

/// Returns a text that begins with a capital letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// Draws a point, hollow unless `filled`.
fn draw_dot(area: &Area, middle: (i32, i32), style: LineStyle, filled: bool) -> Result {
    area.draw(&Circle::new(middle, px(4.5), style.colour.rgb().filled()))?;
    if !filled {
        area.draw(&Circle::new(middle, px(2.75), theme::PAPER.rgb().filled()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;

    fn charts(record: &AblationRecord) -> Vec<Chart> {
        draw_all(record, &Summary::of(record)).unwrap()
    }

    #[test]
    fn every_variant_is_a_point_of_every_chart() {
        let record = synthetic::complete();
        let charts = charts(&record);
        assert_eq!(charts.len(), 3);
        for chart in &charts {
            assert_eq!(
                chart.body.matches("<g class=\"point\"").count(),
                record.variants.len()
            );
            for variant in &record.variants {
                assert!(chart.body.contains(&format!("\n{}\n", variant.name)));
            }
            assert!(chart.description.contains("xception"));
        }
    }

    #[test]
    fn axes_have_units_that_fit() {
        assert_eq!(
            unit(Cost::Parameters, 1_258_610.0),
            (1e-6, "millions of parameters")
        );
        assert_eq!(unit(Cost::Parameters, 12.0).0, 1.0);
        assert_eq!(unit(Cost::SecondsPerStep, 0.15).0, 1e3);
        let equal = around([5.0, 5.0].into_iter(), 4);
        assert!(equal.low < 5.0 && equal.high > 5.0);
    }
}
