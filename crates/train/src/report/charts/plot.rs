//! The plot of a chart with two axes, and its place within the chart.

use std::error::Error;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::drawing::{Area, Result, SMALL, line, px, text_style};
use super::theme;
use super::ticks::Axis;

/// Room below the plot for the labels of the horizontal axis, in CSS pixels.
pub(super) const BOTTOM: f64 = 42.0;

/// Room left of the plot for the labels of the vertical axis, in CSS pixels.
const LEFT: f64 = 38.0;

/// A plot that plotters has laid out.
pub(super) type LaidOut<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<Axis, Axis>>;

/// Lays out a plot with so much room above it and right of it, in CSS pixels.
pub(super) fn lay_out<'a>(
    area: &Area<'a>,
    [top, right]: [f64; 2],
    x: &Axis,
    y: &Axis,
) -> std::result::Result<LaidOut<'a>, Box<dyn Error>> {
    let plot = ChartBuilder::on(area)
        .margin_top(px(top))
        .margin_right(px(right))
        .x_label_area_size(px(BOTTOM))
        .y_label_area_size(px(LEFT))
        .build_cartesian_2d(x.clone(), y.clone())?;
    Ok(plot)
}

/// Draws the axes with their labels, and horizontal grid lines; vertical ones too if they are wanted.
pub(super) fn draw_axes(mut plot: LaidOut, vertical_lines: bool) -> Result {
    let small = text_style(theme::MUTED, SMALL, (HPos::Left, VPos::Top));
    let mut mesh = plot.configure_mesh();
    if !vertical_lines {
        mesh.disable_x_mesh();
    }
    mesh.bold_line_style(line(theme::GRID, 1.0))
        .axis_style(TRANSPARENT)
        .set_all_tick_mark_size(px(3.0))
        .label_style(small)
        .draw()?;
    Ok(())
}

/// The rectangle that a chart's values are drawn in, and the values at its edges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Plot {
    /// Left, top, right and bottom, in the chart's units.
    place: [i32; 4],
    /// Values at the left and the right edge.
    x: [String; 2],
    /// Values at the lower and the upper edge.
    y: [String; 2],
}

impl Plot {
    /// Returns the place of a plot that plotters has laid out.
    pub(super) fn of(
        chart: &ChartContext<SVGBackend, Cartesian2d<Axis, Axis>>,
        x: &Axis,
        y: &Axis,
    ) -> Self {
        let (left, bottom) = chart.backend_coord(&(x.low, y.low));
        let (right, top) = chart.backend_coord(&(x.high, y.high));
        let ends = |axis: &Axis| [axis.low, axis.high].map(|value| value.to_string());
        Self {
            place: [left, top, right, bottom],
            x: ends(x),
            y: ends(y),
        }
    }

    /// Returns attributes of the `<svg>` element that say it, with a space before each.
    pub(super) fn attributes(&self) -> String {
        let [left, top, right, bottom] = self.place;
        let ([low_x, high_x], [low_y, high_y]) = (&self.x, &self.y);
        format!(
            " data-plot=\"{left} {top} {right} {bottom}\" data-x=\"{low_x} {high_x}\" data-y=\"{low_y} {high_y}\""
        )
    }
}
