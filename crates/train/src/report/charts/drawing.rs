//! A drawing area for charts: lengths in CSS pixels, text in the report's sizes.

use std::error::Error;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::labels::shortened;
use super::theme::{self, Colour};
use super::{Chart, ReportError};

pub(super) type Result = std::result::Result<(), Box<dyn Error>>;
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// plotters places everything at whole units; this many of them to a CSS pixel keep curves smooth.
const SCALE: i32 = 4;
/// plotters writes text smaller than it is asked to, by this factor.
const TEXT_SCALE: f64 = 1.24;

/// Size of tick labels, in CSS pixels.
pub(super) const SMALL: f64 = 11.5;
/// Size of other text.
pub(super) const NORMAL: f64 = 12.5;
/// Size of headings.
pub(super) const LARGE: f64 = 13.5;

/// Returns a length in CSS pixels as plotters takes it.
pub(super) fn px(length: f64) -> i32 {
    (length * f64::from(SCALE)).round() as i32
}

/// Returns the width of a line of text, estimated from the mean width of a letter in wide fonts.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    0.6 * size * text.chars().count() as f64
}

/// Returns a line style of `width` CSS pixels.
pub(super) fn line(colour: Colour, width: f64) -> ShapeStyle {
    colour.rgb().stroke_width(px(width).unsigned_abs())
}

/// Returns a text style.
pub(super) fn text_style(colour: Colour, size: f64, anchor: (HPos, VPos)) -> TextStyle<'static> {
    let font = ("sans-serif", size * TEXT_SCALE * f64::from(SCALE));
    font.into_font()
        .color(&colour.rgb())
        .pos(Pos::new(anchor.0, anchor.1))
}

/// Writes `text` at a place in units of plotters.
pub(super) fn write(
    area: &Area,
    text: &str,
    place: (i32, i32),
    style: &TextStyle<'static>,
) -> Result {
    area.draw(&Text::new(text.to_owned(), place, style.clone()))?;
    Ok(())
}

/// Writes the heading of a chart.
pub(super) fn heading(area: &Area, text: &str) -> Result {
    let mut style = text_style(theme::INK, LARGE, (HPos::Left, VPos::Top));
    style.font = style.font.style(FontStyle::Bold);
    write(area, text, (px(1.0), px(4.0)), &style)
}

/// Height of the line of [`shared`].
pub(super) const SHARED: f64 = 16.0;

/// Writes, in a line around the height `middle`, what the labels of a chart of this width leave out.
pub(super) fn shared(area: &Area, what: &str, text: &str, middle: f64, width: f64) -> Result {
    let style = text_style(theme::MUTED, SMALL, (HPos::Left, VPos::Center));
    let text = format!("{what}: {text}");
    let letters = (width / text_width("x", SMALL)) as usize;
    write(
        area,
        &shortened(&text, letters),
        (px(1.0), px(middle)),
        &style,
    )
}

/// A part of a chart that stands in a group of its own, so that a page can hide, move or replace it.
pub(super) struct Layer<'a> {
    /// The group's class.
    class: &'static str,
    /// The place of the variant that it shows.
    variant: Option<usize>,
    draw: Box<dyn Fn(&Area) -> Result + 'a>,
}

impl<'a> Layer<'a> {
    /// Returns a part that belongs to no variant.
    pub(super) fn shared(class: &'static str, draw: impl Fn(&Area) -> Result + 'a) -> Self {
        let draw = Box::new(draw);
        Self {
            class,
            variant: None,
            draw,
        }
    }

    /// Returns a part that shows the variant at a place of the record.
    pub(super) fn of_variant(
        class: &'static str,
        variant: usize,
        draw: impl Fn(&Area) -> Result + 'a,
    ) -> Self {
        Self {
            variant: Some(variant),
            ..Self::shared(class, draw)
        }
    }
}

/// Makes a chart of `width` and `height` CSS pixels from what `draw` draws.
pub(super) fn chart(
    stem: &'static str,
    title: String,
    description: String,
    size: (u32, u32),
    draw: impl FnOnce(&Area) -> Result,
) -> std::result::Result<Chart, ReportError> {
    let (size, body) = (scaled(size), svg_body(scaled(size), draw));
    Ok(Chart {
        stem,
        title,
        description,
        size,
        plot: None,
        body: body.map_err(|cause| failed(stem, cause))?.1,
    })
}

/// Makes a chart of `width` and `height` CSS pixels from its parts, of which the last is on top.
pub(super) fn layered(
    stem: &'static str,
    title: String,
    description: String,
    size: (u32, u32),
    layers: &[Layer],
) -> std::result::Result<Chart, ReportError> {
    let size = scaled(size);
    let mut body = String::from("\n");
    for layer in layers {
        let drawn = svg_body(size, |area| (layer.draw)(area));
        let (_, part) = drawn.map_err(|cause| failed(stem, cause))?;
        let variant = layer
            .variant
            .map(|place| format!(" data-variants=\"{place}\""));
        let (class, variant) = (layer.class, variant.unwrap_or_default());
        body.push_str(&format!("<g class=\"{class}\"{variant}>{part}</g>\n"));
    }
    Ok(Chart {
        stem,
        title,
        description,
        size,
        plot: None,
        body,
    })
}

/// Returns what `measure` finds on an area of `width` and `height` CSS pixels, whatever it draws there.
pub(super) fn measured<T>(
    stem: &'static str,
    size: (u32, u32),
    measure: impl FnOnce(&Area) -> std::result::Result<T, Box<dyn Error>>,
) -> std::result::Result<T, ReportError> {
    let measured = svg_body(scaled(size), measure);
    measured
        .map(|(value, _)| value)
        .map_err(|cause| failed(stem, cause))
}

fn scaled((width, height): (u32, u32)) -> (u32, u32) {
    let scale = SCALE.unsigned_abs();
    (width * scale, height * scale)
}

fn failed(stem: &str, cause: Box<dyn Error>) -> ReportError {
    ReportError::Chart {
        chart: stem.to_owned(),
        cause: cause.to_string(),
    }
}

/// Returns what `draw` returns, and what stands within the `<svg>` element that it draws.
fn svg_body<T>(
    size: (u32, u32),
    draw: impl FnOnce(&Area) -> std::result::Result<T, Box<dyn Error>>,
) -> std::result::Result<(T, String), Box<dyn Error>> {
    let mut svg = String::new();
    let value = {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let value = draw(&area)?;
        area.present()?;
        value
    };
    let body = svg
        .split_once('>')
        .and_then(|(_, rest)| rest.trim_end().strip_suffix("</svg>"))
        .ok_or("plotters wrote no <svg> element")?;
    Ok((value, body.to_owned()))
}

/// Moves `places` apart until none is nearer than `gap` to the next, as little as that takes and
/// within `low..=high`; `None` where they don't fit.
pub(super) fn spread(places: &[i32], gap: i32, (low, high): (i32, i32)) -> Option<Vec<i32>> {
    let count = i32::try_from(places.len()).ok()?;
    if count == 0 {
        return Some(Vec::new());
    }
    if (count - 1) * gap > high - low {
        return None;
    }
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|index| places[*index]);
    // Each block is a run of touching labels: its first place and its members.
    let mut blocks: Vec<(i32, Vec<usize>)> = Vec::new();
    for index in order {
        let mut members = vec![index];
        let mut first = places[index];
        while let Some((above, others)) = blocks.pop() {
            let length = i32::try_from(others.len()).ok()? * gap;
            if above + length <= first {
                blocks.push((above, others));
                break;
            }
            members.splice(0..0, others);
            first = centred(places, &members, gap);
        }
        let length = (i32::try_from(members.len()).ok()? - 1) * gap;
        blocks.push((first.clamp(low, high - length), members));
    }
    let mut spread = vec![0; places.len()];
    let mut free = low;
    let mut flat: Vec<(usize, i32)> = Vec::new();
    for (first, members) in blocks {
        for (index, step) in members.into_iter().zip(0..) {
            let place = (first + step * gap).max(free);
            free = place + gap;
            flat.push((index, place));
        }
    }
    // What was pushed below the end moves up again.
    let mut limit = high;
    for (index, place) in flat.into_iter().rev() {
        spread[index] = place.min(limit);
        limit = spread[index] - gap;
    }
    Some(spread)
}

/// Returns where a block of labels begins whose members are as near to their places as they can be.
fn centred(places: &[i32], members: &[usize], gap: i32) -> i32 {
    let offsets = members
        .iter()
        .zip(0..)
        .map(|(index, step)| i64::from(places[*index] - step * gap));
    let mean = offsets.sum::<i64>() / members.len().max(1) as i64;
    i32::try_from(mean).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_apart() {
        assert_eq!(spread(&[], 10, (0, 100)), Some(vec![]));
        assert_eq!(spread(&[20, 50], 10, (0, 100)), Some(vec![20, 50]));
        assert_eq!(spread(&[50, 50], 10, (0, 100)), Some(vec![45, 55]));
        assert_eq!(
            spread(&[50, 20, 52, 54], 10, (0, 100)),
            Some(vec![42, 20, 52, 62])
        );
        assert_eq!(spread(&[99, 99], 10, (0, 100)), Some(vec![90, 100]));
        assert_eq!(spread(&[0, 1, 2], 10, (0, 100)), Some(vec![0, 10, 20]));
        assert_eq!(spread(&[1, 2, 3], 10, (0, 19)), None);
    }
}
