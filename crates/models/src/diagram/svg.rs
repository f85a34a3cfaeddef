//! A diagram as SVG.

use std::fmt::Write;

use super::Diagram;
use super::arrangement::STRIP;
use super::drawing::{Line, Outline, Placed, Rectangle};
use super::page::{SHEET, Text, TextStyle};
use super::theme::{CLASS, Kind, Theme, style};

/// Radius of the corners of lines, boxes and panels.
const TURN: i32 = 6;
const CORNER: i32 = 5;
const PANEL_CORNER: i32 = 8;
/// Length of an arrowhead, and half of its width.
const HEAD: [i32; 2] = [7, 4];

/// Writes a diagram as an SVG file.
pub(super) fn svg(diagram: &Diagram, theme: Theme) -> String {
    let mut out = String::new();
    // Writing to a string can't fail.
    let _ = write(diagram, theme, &mut out);
    out
}

fn write(diagram: &Diagram, theme: Theme, out: &mut String) -> std::fmt::Result {
    let page = &diagram.page;
    let (width, height) = (page.width, page.height);
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"{CLASS}\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{CLASS}-title {CLASS}-description\">"
    )?;
    writeln!(
        out,
        "<title id=\"{CLASS}-title\">{}</title>",
        escaped(&diagram.heading.title)
    )?;
    let description = escaped(&diagram.description());
    writeln!(out, "<desc id=\"{CLASS}-description\">{description}</desc>")?;
    writeln!(out, "<style>\n{}</style>", style(theme))?;
    writeln!(
        out,
        "<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>"
    )?;
    for panel in &page.areas {
        let sheets = if panel.count > 1 { 2 } else { 0 };
        for sheet in (0..=sheets).rev() {
            let rectangle = Rectangle {
                x: panel.rectangle.x + sheet * SHEET,
                y: panel.rectangle.y + sheet * SHEET,
                ..panel.rectangle
            };
            writeln!(out, "{}", rect("panel", rectangle, PANEL_CORNER))?;
        }
    }
    for frame in &page.drawing.frames {
        writeln!(out, "{}", rect("frame", frame.rectangle, PANEL_CORNER))?;
    }
    let lines = page.drawing.lines.iter();
    let paths: Vec<_> = lines.clone().map(path).collect();
    writeln!(out, "<path class=\"line\" d=\"{}\"/>", paths.join(""))?;
    let heads: Vec<_> = lines.filter(|line| line.arrow).map(head).collect();
    writeln!(out, "<path class=\"head\" d=\"{}\"/>", heads.join(""))?;
    if let Some(images) = page.images {
        writeln!(out, "{}", rect("other", images, images.height / 2))?;
    }
    for placed in &page.drawing.boxes {
        node(diagram, placed, out)?;
    }
    for badge in &page.badges {
        writeln!(out, "{}", rect("pill", *badge, badge.height / 2))?;
    }
    for text in &page.texts {
        write_text(text, out)?;
    }
    writeln!(out, "</svg>")
}

fn node(diagram: &Diagram, placed: &Placed, out: &mut String) -> std::fmt::Result {
    let folding = &diagram.folding;
    let class = Kind::of(folding.nodes[placed.node].form).class();
    let Rectangle {
        x,
        y,
        width,
        height,
    } = placed.rectangle;
    let middle = x + width / 2;
    write!(
        out,
        "<g><title>{}</title>",
        escaped(&diagram.details(placed.node))
    )?;
    if placed.outline == Outline::Circle {
        let radius = width / 2;
        let center = y + radius;
        write!(
            out,
            "<circle class=\"{class}\" cx=\"{middle}\" cy=\"{center}\" r=\"{radius}\"/>"
        )?;
        let arm = radius / 2;
        let (left, top, length) = (middle - arm, center - arm, 2 * arm);
        let d = format!("M{left} {center}h{length}M{middle} {top}v{length}");
        return writeln!(out, "<path class=\"plus\" d=\"{d}\"/></g>");
    }
    let corner = match placed.outline {
        Outline::Slim => height / 2,
        _ => CORNER,
    };
    out.push_str(&rect(class, placed.rectangle, corner));
    let strip = folding.strips[placed.node].filter(|_| placed.outline == Outline::Box);
    let label = escaped(&folding.labels[placed.node]);
    let room = height - strip.map_or(0, |_| STRIP);
    let base = y + (room + 9) / 2;
    write!(
        out,
        "<text class=\"middle\" x=\"{middle}\" y=\"{base}\">{label}</text>"
    )?;
    if let Some(strip) = strip {
        let top = y + room;
        let (side, inner) = (STRIP - CORNER, width - 2 * CORNER);
        let d = format!(
            "M{x} {top}h{width}v{side}a{CORNER} {CORNER} 0 0 1 -{CORNER} {CORNER}h-{inner}a{CORNER} {CORNER} 0 0 1 \
             -{CORNER} -{CORNER}z"
        );
        let base = top + 11;
        write!(out, "<path class=\"act\" d=\"{d}\"/>")?;
        write!(
            out,
            "<text class=\"strip\" x=\"{middle}\" y=\"{base}\">{strip}</text>"
        )?;
    }
    writeln!(out, "</g>")
}

fn write_text(text: &Text, out: &mut String) -> std::fmt::Result {
    let [x, y] = text.at;
    let class = match text.style {
        TextStyle::Title => "title",
        TextStyle::Sentence => "sentence",
        TextStyle::Section => "section",
        TextStyle::Name => "name",
        TextStyle::Remark => "remark",
        TextStyle::Amount => "remark end",
        TextStyle::Label => "middle",
        TextStyle::Badge => "badge",
    };
    writeln!(
        out,
        "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>",
        escaped(&text.text)
    )
}

fn rect(class: &str, rectangle: Rectangle, corner: i32) -> String {
    let Rectangle {
        x,
        y,
        width,
        height,
    } = rectangle;
    format!(
        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{corner}\"/>"
    )
}

/// Returns a line as path data, with round corners.
fn path(line: &Line) -> String {
    let mut points = line.points.clone();
    // The arrowhead covers the end.
    if let (true, [.., before, end]) = (line.arrow, &mut points[..]) {
        let [x, y] = direction(*before, *end);
        *end = [end[0] - x * (HEAD[0] - 1), end[1] - y * (HEAD[0] - 1)];
    }
    let mut d = String::new();
    for (index, &[x, y]) in points.iter().enumerate() {
        let (before, after) = (
            index.checked_sub(1).map(|i| points[i]),
            points.get(index + 1),
        );
        let (Some(before), Some(&after)) = (before, after) else {
            let command = if index == 0 { 'M' } else { 'L' };
            let _ = write!(d, "{command}{x} {y}");
            continue;
        };
        let [[ax, ay], [bx, by]] = [direction(before, [x, y]), direction([x, y], after)];
        let room = distance(before, [x, y]).min(distance([x, y], after)) / 2;
        let turn = TURN.min(room);
        let (sx, sy) = (x - ax * turn, y - ay * turn);
        let (ex, ey) = (x + bx * turn, y + by * turn);
        let _ = write!(d, "L{sx} {sy}Q{x} {y} {ex} {ey}");
    }
    d
}

/// Returns the arrowhead at the end of a line as path data.
fn head(line: &Line) -> String {
    let [.., before, [x, y]] = line.points[..] else {
        return String::new();
    };
    let [dx, dy] = direction(before, [x, y]);
    let [length, half] = HEAD;
    let (bx, by) = (x - dx * length, y - dy * length);
    format!(
        "M{x} {y}L{} {}L{} {}z",
        bx - dy * half,
        by + dx * half,
        bx + dy * half,
        by - dx * half
    )
}

fn direction(from: [i32; 2], to: [i32; 2]) -> [i32; 2] {
    [(to[0] - from[0]).signum(), (to[1] - from[1]).signum()]
}

fn distance(from: [i32; 2], to: [i32; 2]) -> i32 {
    (to[0] - from[0]).abs() + (to[1] - from[1]).abs()
}

/// Returns text as the content of an XML element; characters that XML doesn't have are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\u{fffe}' | '\u{ffff}' => {}
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagram::random_graph::random_graph;

    /// Checks that a text is XML as far as this module writes it: elements that are closed, attributes in quotation marks,
    /// and no other marks in texts.
    fn check_xml(text: &str) {
        let mut open: Vec<&str> = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find('<') {
            let (content, tag) = rest.split_at(start);
            check_text(content);
            assert!(!open.is_empty() || content.trim().is_empty(), "{content}");
            let (tag, after) = tag[1..].split_once('>').expect(tag);
            rest = after;
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name));
                continue;
            }
            let (tag, is_empty) = match tag.strip_suffix('/') {
                Some(tag) => (tag, true),
                None => (tag, false),
            };
            let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase()), "{tag}");
            while !attributes.trim().is_empty() {
                let (key, value) = attributes.trim().split_once("=\"").expect(tag);
                assert!(
                    key.bytes()
                        .all(|byte| byte.is_ascii_alphabetic() || byte == b'-'),
                    "{tag}"
                );
                let (value, after) = value.split_once('"').expect(tag);
                check_text(value);
                attributes = after;
            }
            if !is_empty {
                open.push(name);
            }
        }
        assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest}");
    }

    fn check_text(text: &str) {
        for part in text.split('&').skip(1) {
            let known = ["amp;", "lt;", "gt;"];
            assert!(known.iter().any(|name| part.starts_with(name)), "{text}");
        }
        assert!(!text.contains('>'), "{text}");
        assert!(
            text.chars()
                .all(|letter| letter == '\n' || !letter.is_control()),
            "{text}"
        );
    }

    #[test]
    fn files_are_well_formed_and_the_same_every_time() {
        for seed in 0..50 {
            let title = "<b>\"a\" & 'b'\u{0}\u{7}\u{ffff}";
            let draw = || Diagram::new(&random_graph(seed), title, &["a < b"]);
            for theme in [Theme::Auto, Theme::Light, Theme::Dark] {
                let text = draw().to_svg(theme);
                check_xml(&text);
                assert!(text.contains("&lt;b&gt;\"a\" &amp; 'b'"));
                assert_eq!(text, draw().to_svg(theme));
            }
        }
    }

    #[test]
    fn only_the_automatic_theme_asks_for_the_readers() {
        let diagram = Diagram::new(&random_graph(1), "title", &[]);
        let texts = [Theme::Auto, Theme::Light, Theme::Dark].map(|theme| diagram.to_svg(theme));
        let asks = texts
            .each_ref()
            .map(|text| text.contains("prefers-color-scheme:dark"));
        assert_eq!(asks, [true, false, false]);
        assert_ne!(texts[1], texts[2]);
        for text in &texts {
            assert!(text.contains("role=\"img\"") && text.contains("<title id="));
            assert!(text.contains("<desc id=") && !text.contains("http://www.w3.org/1999"));
            assert_eq!(text.matches("<svg").count(), 1);
        }
    }

    #[test]
    fn lines_turn_in_round_corners_and_end_in_heads() {
        let line = Line {
            points: vec![[0, 0], [0, 40], [50, 40]],
            arrow: true,
        };
        assert_eq!(path(&line), "M0 0L0 34Q0 40 6 40L44 40");
        assert_eq!(head(&line), "M50 40L43 44L43 36z");
    }
}
