//! The colours of the charts, light and dark, and the style sheet that turns one into the other.
//!
//! A chart is drawn with the light colours, as plain attributes that every program understands. For
//! dark surroundings, CSS rules pick the elements by those attributes and give them the dark ones.
//!
//! The colours of the variants were searched for: at least 3:1 against the background, apart from
//! each other also for protanopes, deuteranopes and tritanopes (as Machado, Oliveira and Fernandes,
//! 2009, simulate them), in both themes.

use std::fmt::Write;

use plotters::style::RGBColor;

/// A colour in light and in dark surroundings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) struct Colour {
    light: u32,
    dark: u32,
}

impl Colour {
    const fn new(light: u32, dark: u32) -> Self {
        Self { light, dark }
    }

    /// Returns the colour that charts are drawn with.
    pub(super) fn rgb(self) -> RGBColor {
        let [_, red, green, blue] = self.light.to_be_bytes();
        RGBColor(red, green, blue)
    }

    /// Returns the same as the value of an SVG attribute.
    pub(super) fn attribute(self) -> String {
        format!("#{:06X}", self.light)
    }
}

pub(super) const PAPER: Colour = Colour::new(0xFFFFFF, 0x15181C);
pub(super) const INK: Colour = Colour::new(0x22262B, 0xECECE8);
pub(super) const MUTED: Colour = Colour::new(0x5C646E, 0xA3ABB5);
pub(super) const GRID: Colour = Colour::new(0xE4E7EB, 0x2B3037);
pub(super) const AXIS: Colour = Colour::new(0x9AA2AC, 0x6B747E);

/// Colours of the variants other than the base, in their order.
const SERIES: [Colour; 7] = [
    Colour::new(0x1A47B5, 0x4D82F5), // blue
    Colour::new(0xD9701B, 0xF3893C), // orange
    Colour::new(0x2FA285, 0x55C2A4), // green
    Colour::new(0x95155E, 0xD15391), // purple
    Colour::new(0x6B5500, 0xDFC87A), // olive
    Colour::new(0x8E87C9, 0xA7A1E5), // lavender
    Colour::new(0x037592, 0x82DBFB), // teal
];

/// How the line of a variant looks in every chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) struct LineStyle {
    pub(super) colour: Colour,
    /// Set where the colours have come round to the first again.
    pub(in crate::report) dashed: bool,
    /// Name of the CSS variable that holds the colour.
    index: usize,
}

impl LineStyle {
    /// Styles for `names`: the colour of text for the base, a colour each for the others.
    pub(in crate::report) fn all<'a>(
        names: impl Iterator<Item = &'a str>,
        base: &str,
    ) -> Vec<Self> {
        let mut others = 0;
        let mut style = |name: &str| {
            if name == base {
                return Self {
                    colour: INK,
                    dashed: false,
                    index: SERIES.len(),
                };
            }
            let index = others % SERIES.len();
            let dashed = others >= SERIES.len();
            others += 1;
            Self {
                colour: SERIES[index],
                dashed,
                index,
            }
        };
        names.map(&mut style).collect()
    }

    /// Returns the look of shaded cells.
    pub(super) fn of_cells() -> Self {
        Self {
            colour: SERIES[0],
            dashed: false,
            index: 0,
        }
    }

    /// Returns the look of marks in a key, which stand for all variants.
    pub(super) fn of_key() -> Self {
        Self {
            colour: MUTED,
            dashed: false,
            index: SERIES.len(),
        }
    }

    /// Returns the CSS variable of the colour, see [`variables`].
    pub(in crate::report) fn variable(&self) -> String {
        format!("var(--series-{})", self.index)
    }
}

fn all_colours() -> impl Iterator<Item = Colour> {
    [PAPER, INK, MUTED, GRID, AXIS].into_iter().chain(SERIES)
}

/// CSS declarations of the variants' colours, for the legend beside the charts.
pub(in crate::report) fn variables(dark: bool) -> String {
    let mut css = String::new();
    for (index, colour) in SERIES.into_iter().chain([INK]).enumerate() {
        let value = if dark { colour.dark } else { colour.light };
        let _ = write!(css, "--series-{index}:#{value:06X};");
    }
    css
}

/// CSS rules that give the elements of a chart under `selector` their dark colours.
pub(in crate::report) fn dark_rules(selector: &str) -> String {
    let mut css = String::new();
    for colour in all_colours() {
        let (light, dark) = (colour.attribute(), colour.dark);
        for property in ["fill", "stroke"] {
            let _ = write!(
                css,
                "{selector} [{property}=\"{light}\"]{{{property}:#{dark:06X}}}"
            );
        }
    }
    css
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn attributes_tell_the_colours_apart() {
        let light: HashSet<_> = all_colours().map(|colour| colour.light).collect();
        assert_eq!(light.len(), all_colours().count());
    }

    #[test]
    fn the_base_keeps_its_colour_and_the_others_come_round() {
        let names: Vec<String> = (0..10).map(|n| n.to_string()).collect();
        let styles = LineStyle::all(names.iter().map(String::as_str), "3");
        assert_eq!(styles[3].colour, INK);
        assert_eq!(styles[0].colour, SERIES[0]);
        assert_eq!(styles[4].colour, SERIES[3]);
        assert_eq!(styles[8].colour, SERIES[0]);
        assert!(styles[8].dashed && !styles[7].dashed);
    }

    #[test]
    fn lines_stand_out_from_the_paper() {
        let luminance = |colour: u32| {
            let [_, rgb @ ..] = colour.to_be_bytes();
            let linear = rgb.map(|byte| {
                let c = f64::from(byte) / 255.0;
                if c <= 0.04045 {
                    c / 12.92
                } else {
                    ((c + 0.055) / 1.055).powf(2.4)
                }
            });
            0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        };
        let contrast = |a: u32, b: u32| {
            let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
            a.max(b) / a.min(b)
        };
        for colour in SERIES.into_iter().chain([INK]) {
            assert!(contrast(colour.light, PAPER.light) >= 3.0, "{colour:?}");
            assert!(contrast(colour.dark, PAPER.dark) >= 3.0, "{colour:?}");
        }
    }
}
