//! The place of a plot within its chart.

use plotters::prelude::*;

use super::ticks::Axis;

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
