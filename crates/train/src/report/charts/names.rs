//! The names of variants, beside a plot.

use std::ops::Range;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::drawing::{self, Area, Result, px, text_style, text_width};
use super::theme::Colour;

/// Space between a plot and the names.
const GAP: f64 = 12.0;
/// Height of a name.
pub(super) const HEIGHT: f64 = 14.0;

/// Returns the width that names and the space before them take.
pub(super) fn room<'a>(labels: impl Iterator<Item = &'a String>) -> f64 {
    let widths = labels.map(|label| text_width(label, drawing::SMALL));
    GAP + widths.fold(0.0, f64::max)
}

/// A name beside a plot.
pub(super) struct Name<'a> {
    /// Place of the variant in the record.
    pub(super) variant: usize,
    /// The name, shortened.
    pub(super) label: &'a str,
    pub(super) colour: Colour,
    /// The point that it names, in units of plotters.
    pub(super) point: (i32, i32),
}

impl Name<'_> {
    /// Writes the name at a height right of a plot, with a line to its point unless the two are close together.
    pub(super) fn draw(&self, area: &Area, height: i32, plot: &Range<i32>) -> Result {
        let (x, y) = self.point;
        let left = plot.end + px(GAP);
        if (height - y).abs() > px(2.0) || x < plot.end - px(GAP) {
            let line = [(x + px(5.0), y), (left - px(3.0), height)];
            let look = self.colour.rgb().mix(0.45);
            area.draw(&PathElement::new(
                line,
                look.stroke_width(px(0.75).unsigned_abs()),
            ))?;
        }
        let style = text_style(self.colour, drawing::SMALL, (HPos::Left, VPos::Center));
        drawing::write(area, self.label, (left, height), &style)
    }
}

/// Returns the heights of names, near their points and apart from one another; `None` where there is no room for all.
pub(super) fn heights(names: &[Name], rows: &Range<i32>) -> Option<Vec<i32>> {
    let points: Vec<i32> = names.iter().map(|name| name.point.1).collect();
    drawing::spread(&points, px(HEIGHT), (rows.start, rows.end - px(6.0)))
}
