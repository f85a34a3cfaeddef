//! The colours of a diagram, light and dark, as CSS.

use std::fmt::Write;

use super::nodes::Form;
use crate::layers::OperationKind;

/// The surroundings that a diagram is drawn for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// Whatever the reader prefers (`prefers-color-scheme`): light in programs that don't know.
    #[default]
    Auto,
    /// Light surroundings.
    Light,
    /// Dark surroundings.
    Dark,
}

/// A colour in light and in dark surroundings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Colour {
    light: u32,
    dark: u32,
}

const fn colour(light: u32, dark: u32) -> Colour {
    Colour { light, dark }
}

const PAPER: Colour = colour(0xFFFFFF, 0x15181C);
const PANEL: Colour = colour(0xF6F7F9, 0x1D2126);
const EDGE: Colour = colour(0xD9DDE3, 0x363C44);
const INK: Colour = colour(0x22262B, 0xECECE8);
const MUTED: Colour = colour(0x5C646E, 0xA3ABB5);
const LINE: Colour = colour(0x6B747E, 0x8B949E);

/// What a box is, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Convolution,
    Separable,
    Pool,
    Activation,
    Linear,
    Join,
    Other,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::Convolution,
        Self::Separable,
        Self::Pool,
        Self::Activation,
        Self::Linear,
        Self::Join,
        Self::Other,
    ];

    /// Returns the kind of a node's box.
    pub(super) fn of(form: Form) -> Self {
        match form {
            Form::Convolution { .. } => Self::Convolution,
            Form::Depthwise { .. } | Form::Separable { .. } => Self::Separable,
            Form::Linear => Self::Linear,
            Form::Single(kind) => match kind {
                OperationKind::Activation(_) => Self::Activation,
                OperationKind::MaxPool { .. }
                | OperationKind::AveragePool { .. }
                | OperationKind::AdaptiveAveragePool => Self::Pool,
                OperationKind::Addition | OperationKind::Concatenation => Self::Join,
                _ => Self::Other,
            },
        }
    }

    /// Returns the CSS class.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Convolution => "conv",
            Self::Separable => "sep",
            Self::Pool => "pool",
            Self::Activation => "act",
            Self::Linear => "linear",
            Self::Join => "join",
            Self::Other => "other",
        }
    }

    /// Returns the colours of the area and of the edge.
    fn colours(self) -> [Colour; 2] {
        match self {
            Self::Convolution => [colour(0xDDE9FC, 0x1F3554), colour(0x6C9BE8, 0x5B8FDE)],
            Self::Separable => [colour(0xE7E0FB, 0x352B5C), colour(0x9379DA, 0x9480DD)],
            Self::Pool => [colour(0xFBE2E2, 0x4D2A2E), colour(0xDC8085, 0xC9767C)],
            Self::Activation => [colour(0xE0F3E1, 0x1F3A27), colour(0x77B680, 0x5E9F6A)],
            Self::Linear => [colour(0xFFEFD2, 0x463515), colour(0xD9A441, 0xC2943C)],
            Self::Join => [colour(0xFFFFFF, 0x15181C), colour(0x6B747E, 0x8B949E)],
            Self::Other => [colour(0xE9ECEF, 0x2B3138), colour(0x98A1AB, 0x7D8791)],
        }
    }
}

/// Selector of the elements of a diagram, so that the rules leave others in the same page alone.
pub(super) const CLASS: &str = "network-diagram";

/// Returns the style sheet of a diagram.
pub(super) fn style(theme: Theme) -> String {
    let mut css = String::new();
    let mut rule = |selector: &str, declarations: &str| {
        let _ = writeln!(css, ".{CLASS} {selector}{{{declarations}}}");
    };
    rule(
        "text",
        "font-family:Helvetica,Arial,sans-serif;font-size:13px",
    );
    rule(".middle", "text-anchor:middle");
    rule(".end", "text-anchor:end");
    rule(".strip", "font-size:10.5px;text-anchor:middle");
    rule(".title", "font-size:26px;font-weight:bold");
    rule(".section", "font-size:16px;font-weight:bold");
    rule(".name", "font-weight:bold");
    rule(
        ".badge",
        "font-size:11px;font-weight:bold;text-anchor:middle",
    );
    rule(".remark", "font-size:11px");
    rule(".line", "fill:none;stroke-width:1.4");
    rule(".frame", "fill:none;stroke-dasharray:5 4");
    rule(".plus", "stroke-width:1.6");
    let dark = colours(|colour| colour.dark);
    match theme {
        Theme::Light => css + &colours(|colour| colour.light),
        Theme::Dark => css + &dark,
        Theme::Auto => {
            let light = colours(|colour| colour.light);
            format!("{css}{light}@media (prefers-color-scheme:dark){{\n{dark}}}\n")
        }
    }
}

/// Returns the rules with the colours of one theme.
fn colours(theme: fn(Colour) -> u32) -> String {
    let mut css = String::new();
    let mut rule = |selector: &str, properties: &[(&str, Colour)]| {
        let properties = properties.iter();
        let text = properties.map(|(name, colour)| format!("{name}:#{:06X}", theme(*colour)));
        let text: Vec<_> = text.collect();
        let _ = writeln!(css, ".{CLASS} {selector}{{{}}}", text.join(";"));
    };
    rule("text", &[("fill", INK)]);
    rule(".paper", &[("fill", PAPER)]);
    rule(".panel", &[("fill", PANEL), ("stroke", EDGE)]);
    rule(".frame", &[("stroke", LINE)]);
    rule(".line", &[("stroke", LINE)]);
    rule(".head", &[("fill", LINE)]);
    rule("text.remark", &[("fill", MUTED)]);
    rule(".pill", &[("fill", LINE)]);
    rule("text.badge", &[("fill", PAPER)]);
    rule(".plus", &[("stroke", INK)]);
    for kind in Kind::ALL {
        let [area, edge] = kind.colours();
        rule(
            &format!(".{}", kind.class()),
            &[("fill", area), ("stroke", edge)],
        );
    }
    css
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(colour: u32) -> f64 {
        let [_, rgb @ ..] = colour.to_be_bytes();
        let [red, green, blue] = rgb.map(|byte| {
            let value = f64::from(byte) / 255.0;
            match value <= 0.04045 {
                true => value / 12.92,
                false => ((value + 0.055) / 1.055).powf(2.4),
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(a: Colour, b: Colour) -> f64 {
        let ratio = |a: u32, b: u32| {
            let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
            a.max(b) / a.min(b)
        };
        ratio(a.light, b.light).min(ratio(a.dark, b.dark))
    }

    #[test]
    fn texts_stand_out_from_what_is_behind_them() {
        for kind in Kind::ALL {
            let [area, _] = kind.colours();
            assert!(contrast(INK, area) >= 7.0, "{kind:?}");
        }
        for behind in [PAPER, PANEL] {
            assert!(contrast(INK, behind) >= 7.0 && contrast(MUTED, behind) >= 4.5);
            assert!(contrast(LINE, behind) >= 3.0);
        }
        assert!(contrast(PAPER, LINE) >= 4.5);
    }
}
