//! A quantity by epoch: a line and a band for each variant.

use std::error::Error;

use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::curve::{Curve, OtherRun, Point, Quantity};
use super::drawing::{self, Area, Layer, Result, line, px, text_style};
use super::labels::Labels;
use super::names::{self, Name};
use super::plot::{self, BOTTOM, LaidOut};
use super::theme::{self, LineStyle};
use super::ticks::Axis;
use super::{Chart, ReportError};
use crate::record::AblationRecord;

const WIDTH: f64 = 500.0;
/// Height, where the names of the variants need no more.
const HEIGHT: f64 = 320.0;
/// Room for the heading.
const TOP: f64 = 38.0;
/// Names longer than this are shortened in the chart; the legend has them whole.
const LABEL_LETTERS: usize = 18;
/// A loss above this many times that of guessing is cut off.
const LOSS_LIMIT: f64 = 1.5;

/// Draws `quantity` by epoch; `None` where no run has an epoch yet.
pub(super) fn draw(
    record: &AblationRecord,
    quantity: Quantity,
) -> std::result::Result<Option<Chart>, ReportError> {
    let curves = Curve::all(record, quantity);
    let Some(limits) = limits(&curves, quantity, loss_of_guessing(record)) else {
        return Ok(None);
    };
    let names = || curves.iter().map(|curve| curve.name.as_str());
    let labels = Labels::of(names(), LABEL_LETTERS);
    let top = match labels.shared {
        Some(_) => TOP + drawing::SHARED,
        None => TOP,
    };
    let drawing = Drawing {
        quantity,
        styles: LineStyle::all(names(), &record.base),
        right: names::room(labels.texts.iter()),
        labels,
        top,
        x: Axis::of_epochs(1, record.epochs, 6),
        y: Axis::around(limits.0, limits.1, 5),
        curves,
    };
    // Every line has its name, however many there are.
    let heights = names::HEIGHT * (drawing.curves.len() + 1) as f64;
    let size = (WIDTH as u32, HEIGHT.max(top + heights + BOTTOM) as u32);
    drawing.chart(size).map(Some)
}

/// The content of a chart.
struct Drawing {
    quantity: Quantity,
    curves: Vec<Curve>,
    styles: Vec<LineStyle>,
    /// The short names of the curves.
    labels: Labels,
    /// Room above the lines.
    top: f64,
    /// Room for the names.
    right: f64,
    x: Axis,
    y: Axis,
}

/// Returns the smallest and the largest value that is to be seen.
fn limits(curves: &[Curve], quantity: Quantity, guessing: f64) -> Option<(f64, f64)> {
    let values = || curves.iter().flat_map(Curve::values);
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    if low > high {
        return None;
    }
    if quantity.is_loss() {
        let limit = LOSS_LIMIT * guessing;
        return Some((0.0, if low < limit { high.min(limit) } else { high }));
    }
    Some((low, high))
}

/// Returns the loss of one who knows nothing: the logarithm of the number of classes, or, with a set of labels, that of 2 for
/// each class.
fn loss_of_guessing(record: &AblationRecord) -> f64 {
    let classes = record.data.classes.max(2) as f64;
    match record.data.labels {
        Some(_) => classes * 2f64.ln(),
        None => classes.ln(),
    }
}

fn describe(curves: &[Curve]) -> String {
    let ends = curves.iter().filter_map(|curve| {
        let (epoch, value) = curve.end()?;
        Some(format!("{} {value:.2} at epoch {epoch}", curve.name))
    });
    format!("Last values: {}.", ends.collect::<Vec<_>>().join(", "))
}

impl Drawing {
    fn chart(&self, size: (u32, u32)) -> std::result::Result<Chart, ReportError> {
        let stem = self.quantity.stem();
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
        ];
        let high = self.y.high;
        let both = || self.curves.iter().zip(&self.styles).enumerate();
        for (variant, (curve, style)) in both() {
            layers.push(Layer::of_variant("band", variant, move |area| {
                draw_band(&mut self.plot(area)?, curve, style, high)
            }));
        }
        for (variant, (curve, style)) in both() {
            layers.push(Layer::of_variant("line", variant, move |area| {
                let mut plot = self.plot(area)?;
                for run in &curve.others {
                    draw_other(&mut plot, run, style, high)?;
                }
                draw_mean(&mut plot, curve, style, high)
            }));
        }
        let columns = &columns;
        for (name, height) in names.iter().zip(heights) {
            layers.push(Layer::of_variant("label", name.variant, move |area| {
                name.draw(area, height, columns)
            }));
        }
        let title = format!("{} by epoch", self.quantity.heading());
        let description = describe(&self.curves);
        let chart = drawing::layered(stem, title, description, size, &layers)?;
        Ok(Chart {
            plot: Some(place),
            ..chart
        })
    }

    fn plot<'a>(&self, area: &Area<'a>) -> std::result::Result<LaidOut<'a>, Box<dyn Error>> {
        plot::lay_out(area, [self.top, self.right], &self.x, &self.y)
    }

    fn draw_axes(&self, area: &Area) -> Result {
        plot::draw_axes(self.plot(area)?, false)
    }

    /// Draws what stays where it is when the axes change.
    fn draw_frame(&self, area: &Area) -> Result {
        let (x, y) = (&self.x, &self.y);
        drawing::heading(area, self.quantity.heading())?;
        if let Some(shared) = &self.labels.shared {
            drawing::shared(area, "variants", shared, 32.0, WIDTH)?;
        }
        let mut plot = self.plot(area)?;
        let floor = [(x.low, y.low), (x.high, y.low)];
        plot.draw_series([PathElement::new(floor, line(theme::AXIS, 1.0))])?;
        let middle = plot.backend_coord(&((x.low + x.high) / 2.0, y.low));
        let beneath = (middle.0, middle.1 + px(24.0));
        let centred = text_style(theme::MUTED, drawing::SMALL, (HPos::Center, VPos::Top));
        drawing::write(area, "Epoch", beneath, &centred)
    }

    /// Returns the names of the variants, at the ends of their lines.
    fn names(&self, plot: &LaidOut) -> Vec<Name<'_>> {
        let looks = self.labels.texts.iter().zip(&self.styles);
        let curves = self.curves.iter().zip(looks).enumerate();
        let named = curves.filter_map(|(variant, (curve, (label, style)))| {
            let (epoch, value) = curve.end()?;
            Some(Name {
                variant,
                label,
                colour: style.colour,
                point: plot.backend_coord(&(epoch, value.min(self.y.high))),
            })
        });
        named.collect()
    }
}

fn draw_band(plot: &mut LaidOut, curve: &Curve, style: &LineStyle, high: f64) -> Result {
    let lower = curve.band.iter().map(|point| (point.0, point.1.min(high)));
    let upper = curve.band.iter().map(|point| (point.0, point.2.min(high)));
    let outline: Vec<Point> = lower.chain(upper.rev()).collect();
    let fill = style.colour.rgb().mix(0.14).filled();
    plot.draw_series([Polygon::new(outline, fill)])?;
    Ok(())
}

fn draw_mean(plot: &mut LaidOut, curve: &Curve, style: &LineStyle, high: f64) -> Result {
    let stroke = line(style.colour, 2.0);
    for part in below(&curve.mean, high) {
        if style.dashed {
            let dash = DashedPathElement::new(part, px(6.0), px(4.0), stroke);
            plot.draw_series([dash])?;
        } else {
            plot.draw_series([PathElement::new(part, stroke)])?;
        }
    }
    let end = curve.mean.last().filter(|point| point.1 <= high);
    let dot = |place: &Point| Circle::new(*place, px(3.0), style.colour.rgb().filled());
    plot.draw_series(end.map(dot))?;
    Ok(())
}

/// Draws a run that has not finished as a thin dashed line, with a cross where it diverged.
fn draw_other(plot: &mut LaidOut, run: &OtherRun, style: &LineStyle, high: f64) -> Result {
    let stroke = line(style.colour, 1.25);
    for part in below(&run.points, high) {
        let dash = DashedPathElement::new(part, px(2.5), px(2.5), stroke);
        plot.draw_series([dash])?;
    }
    let Some((epoch, value)) = run.points.last() else {
        return Ok(());
    };
    let end = (*epoch, value.min(high));
    if run.diverged {
        plot.draw_series([Cross::new(end, px(4.0), line(style.colour, 2.0))])?;
    } else {
        let dot = Circle::new(end, px(2.0), style.colour.rgb().filled());
        plot.draw_series([dot])?;
    }
    Ok(())
}

/// Returns the parts of a line that are not above `high`, with the points where it crosses.
fn below(points: &[Point], high: f64) -> Vec<Vec<Point>> {
    let mut parts = Vec::new();
    let mut part: Vec<Point> = Vec::new();
    let mut last: Option<Point> = None;
    for &point in points {
        if let Some(last) = last
            && (last.1 > high) != (point.1 > high)
        {
            let share = (high - last.1) / (point.1 - last.1);
            part.push((last.0 + share * (point.0 - last.0), high));
        }
        if point.1 <= high {
            part.push(point);
        } else if !part.is_empty() {
            parts.push(std::mem::take(&mut part));
        }
        last = Some(point);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;

    #[test]
    fn a_line_is_cut_where_it_leaves() {
        assert_eq!(below(&[(1.0, 1.0), (2.0, 2.0)], 5.0).len(), 1);
        let points = [(1.0, 1.0), (2.0, 3.0), (3.0, 1.0), (4.0, 1.0)];
        assert_eq!(
            below(&points, 2.0),
            [
                vec![(1.0, 1.0), (1.5, 2.0)],
                vec![(2.5, 2.0), (3.0, 1.0), (4.0, 1.0)]
            ]
        );
        assert!(below(&[(1.0, 9.0)], 2.0).is_empty());
    }

    #[test]
    fn every_variant_is_named() {
        let record = synthetic::complete();
        let chart = draw(&record, Quantity::TestTop1).unwrap().unwrap();
        for variant in &record.variants {
            assert!(chart.body.contains(&variant.name), "{}", variant.name);
            assert!(chart.description.contains(&variant.name));
        }
    }

    #[test]
    fn long_names_are_told_apart_and_many_names_have_room() {
        for record in [
            synthetic::grid(),
            synthetic::long_names(),
            synthetic::crowd(30),
        ] {
            let chart = draw(&record, Quantity::TestTop1).unwrap().unwrap();
            let names = record.variants.iter().map(|v| v.name.as_str());
            let labels = Labels::of(names, LABEL_LETTERS);
            for label in &labels.texts {
                assert!(chart.body.contains(&format!("\n{label}\n")), "{label}");
            }
        }
        let chart = draw(&synthetic::grid(), Quantity::TestTop1)
            .unwrap()
            .unwrap();
        assert!(
            chart
                .body
                .contains("variants: residual=…, intermediate_activation=…")
        );
    }

    #[test]
    fn a_loss_beyond_guessing_does_not_flatten_the_rest() {
        let mut record = synthetic::complete();
        record.variants[0].runs[0].epochs[0].test.loss = 1e9;
        let curves = Curve::all(&record, Quantity::TestLoss);
        let (low, high) = limits(&curves, Quantity::TestLoss, 10f64.ln()).unwrap();
        assert_eq!(low, 0.0);
        assert!((high - 1.5 * 10_f64.ln()).abs() < 1e-9);
        assert!(draw(&record, Quantity::TestLoss).unwrap().is_some());
    }

    #[test]
    fn nothing_to_draw_is_no_chart() {
        let record = synthetic::not_started();
        assert!(draw(&record, Quantity::TestTop1).unwrap().is_none());
    }

    #[test]
    fn a_single_epoch_can_be_drawn() {
        let record = synthetic::from_curves(&[("a", &[&[0.5]]), ("b", &[&[0.5]])]);
        assert!(draw(&record, Quantity::TrainTop1).unwrap().is_some());
    }
}
