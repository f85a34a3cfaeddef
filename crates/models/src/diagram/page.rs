//! The drawing of a page: heading, panels in columns, the lines between them, and shapes.

use super::arrangement::{BADGE, badge_text, badge_width};
use super::block::{Entry, fork};
use super::drawing::{Drawing, Rectangle};
use super::label::shape;
use super::panel::{PADDING, Panel};
use super::text::{self, LABEL, REMARK, SECTION, TITLE};

/// Space around the page.
const MARGIN: i32 = 32;
/// Distance of lines of the heading.
const HEADING_LINE: i32 = 20;
/// Distance of a panel from the next, with the shape between them.
const GAP: i32 = 34;
/// The same if an auxiliary classifier begins there, and the distance of the line to it from the panel above.
const GAP_AUXILIARY: i32 = 58;
const AUXILIARY: i32 = 36;
/// Distance of an auxiliary classifier from that line, and from the panels.
const BELOW: i32 = 18;
const BESIDE: i32 = 28;
/// Height of the pill with the images, and its distance from the first panel.
const IMAGES: i32 = 26;
const BELOW_IMAGES: i32 = 26;
/// Distance of the last panel of a column from the line to the next.
const TURN: i32 = 28;
/// Distance of columns.
const GUTTER: i32 = 56;
/// Height of the line with the name of a section.
const SECTION_HEIGHT: i32 = 34;
/// Distance of a text from the line beside it.
const ASIDE: i32 = 8;
/// Offset of the sheets behind the panel of several stages.
pub(super) const SHEET: i32 = 4;

/// What stands above and below the panels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heading {
    pub(super) title: String,
    pub(super) lines: Vec<String>,
    pub(super) note: Option<String>,
}

/// Text at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) style: TextStyle,
    /// The place on the base line where the text begins, has its middle, or ends.
    pub(super) at: [i32; 2],
}

/// What a text is, which decides how it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextStyle {
    /// Name of the network.
    Title,
    /// Sentences below it.
    Sentence,
    /// Name of a section.
    Section,
    /// Name of a stage.
    Name,
    /// Shapes, and the note below the panels.
    Remark,
    /// Number of parameters, which ends at its place.
    Amount,
    /// Text of a box, which has its middle at its place.
    Label,
    /// How often something is repeated, likewise.
    Badge,
}

impl Text {
    /// Returns the rectangle that the text needs at most.
    pub(super) fn rectangle(&self) -> Rectangle {
        let (size, bold) = match self.style {
            TextStyle::Title => (TITLE, true),
            TextStyle::Section => (SECTION, true),
            TextStyle::Name => (LABEL, true),
            TextStyle::Badge => (REMARK, true),
            TextStyle::Sentence | TextStyle::Label => (LABEL, false),
            TextStyle::Remark | TextStyle::Amount => (REMARK, false),
        };
        let width = match bold {
            true => text::bold_width(&self.text, size),
            false => text::width(&self.text, size),
        };
        let [x, y] = self.at;
        let x = match self.style {
            TextStyle::Amount => x - width,
            TextStyle::Label | TextStyle::Badge => x - width / 2,
            _ => x,
        };
        let height = size;
        let y = y - 4 * size / 5;
        Rectangle {
            x,
            y,
            width,
            height,
        }
    }
}

/// The area of a panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) rectangle: Rectangle,
    /// How many stages it stands for.
    pub(super) count: usize,
}

/// Everything on a page, in its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) areas: Vec<Area>,
    pub(super) drawing: Drawing,
    /// The pill with the size of the images.
    pub(super) images: Option<Rectangle>,
    pub(super) badges: Vec<Rectangle>,
    pub(super) texts: Vec<Text>,
}

/// Draws panels in columns.
pub(super) fn draw(columns: &[&[Panel]], image_size: [usize; 2], heading: &Heading) -> Page {
    let mut page = Page::default();
    let [mut right, mut top] = page.heading(heading);
    let mut panels = columns.iter().copied().flatten();
    if panels.any(|panel| panel.stage.section.is_some()) {
        top += SECTION_HEIGHT;
    }
    let mut lowest = top;
    // The line that leads on, from the last box.
    let mut line: Vec<[i32; 2]> = Vec::new();
    let mut left = MARGIN;
    for (index, column) in columns.iter().enumerate() {
        let sides = sides(column);
        let middle = left + sides[0];
        let before = index
            .checked_sub(1)
            .and_then(|before| columns[before].last());
        match before {
            None => line = vec![[middle, page.images(image_size, [middle, top])]],
            Some(before) => {
                let [x, y] = [left - GUTTER / 2, top + IMAGES / 2];
                let below = line.last().map_or(y, |point| point[1]);
                line.extend([[x, below], [x, y], [middle, y]]);
                page.shape(before, [middle, top + 36]);
            }
        }
        let mut column_right = middle + sides[1];
        // The lower end of the auxiliary classifiers beside the column.
        let mut beside = top;
        let mut y = top + IMAGES + BELOW_IMAGES;
        for (place, panel) in column.iter().enumerate() {
            if let Some(section) = &panel.stage.section {
                y += if place > 0 { SECTION_HEIGHT } else { 0 };
                let base = if place > 0 { y } else { top } - 12;
                page.write(section, TextStyle::Section, [left, base]);
            }
            if !panel.auxiliary.is_empty() {
                y = y.max(beside + BELOW - AUXILIARY - panel.height());
            }
            let bottom = page.panel(panel, [middle, y], sides, &mut line);
            let is_last = place + 1 == column.len();
            let turn = (bottom + TURN).max(beside + BELOW);
            let from = if is_last {
                turn + BELOW
            } else {
                bottom + AUXILIARY
            };
            let mut right = middle + sides[1];
            for auxiliary in &panel.auxiliary {
                let end = page.auxiliary(auxiliary, [right, from], &line);
                right = end[0];
                beside = beside.max(end[1]);
            }
            column_right = column_right.max(right);
            lowest = lowest.max(bottom).max(beside);
            if is_last && index + 1 == columns.len() {
                break;
            }
            page.shape(panel, [middle, bottom + GAP / 2 + 4]);
            if is_last {
                line.push([middle, turn]);
                lowest = lowest.max(turn);
            }
            y = bottom + gap(panel);
        }
        right = right.max(column_right);
        left = column_right + GUTTER;
    }
    page.width = right + MARGIN;
    page.height = lowest + MARGIN;
    page.note(heading.note.as_deref());
    page.add_badges();
    page
}

/// Returns the height of a panel with the gap below it.
pub(super) fn height_with_gap(panel: &Panel) -> i32 {
    let section = match panel.stage.section {
        Some(_) => SECTION_HEIGHT,
        None => 0,
    };
    section + panel.height() + gap(panel)
}

fn gap(panel: &Panel) -> i32 {
    match panel.auxiliary.is_empty() {
        true => GAP,
        false => GAP_AUXILIARY,
    }
}

/// Returns the extent of a column's panels to both sides of their middle line.
fn sides(column: &[Panel]) -> [i32; 2] {
    let mut sides = [0, 0];
    for panel in column {
        let [left, right] = panel.sides();
        let section = panel.stage.section.as_ref();
        let section = section.map_or(0, |name| text::bold_width(name, SECTION) + ASIDE);
        sides = [sides[0].max(left).max(section), sides[1].max(right)];
    }
    match column.iter().all(Panel::is_even) {
        true => [sides[0].max(sides[1]); 2],
        false => sides,
    }
}

impl Page {
    fn write(&mut self, text: &str, style: TextStyle, at: [i32; 2]) {
        if !text.is_empty() {
            let text = text.to_owned();
            self.texts.push(Text { text, style, at });
        }
    }

    /// Writes the heading, and returns its right end and where the columns begin.
    fn heading(&mut self, heading: &Heading) -> [i32; 2] {
        let mut y = MARGIN + TITLE - 6;
        self.write(&heading.title, TextStyle::Title, [MARGIN, y]);
        y += 6;
        for line in &heading.lines {
            y += HEADING_LINE;
            self.write(line, TextStyle::Sentence, [MARGIN, y]);
        }
        let rights = self.texts.iter().map(|text| text.rectangle().right());
        [rights.max().unwrap_or(0), y + MARGIN]
    }

    /// Writes the note below everything.
    fn note(&mut self, note: Option<&str>) {
        let Some(note) = note else {
            return;
        };
        self.write(note, TextStyle::Remark, [MARGIN, self.height + 4]);
        self.height += MARGIN;
        let right = self.texts.last().map_or(0, |text| text.rectangle().right());
        self.width = self.width.max(right + MARGIN);
    }

    /// Writes the shape of a panel's output at the right of a line.
    fn shape(&mut self, panel: &Panel, [x, y]: [i32; 2]) {
        let shape = shape(panel.stage.shape);
        self.write(&shape, TextStyle::Remark, [x + ASIDE, y]);
    }

    /// Draws the pill with the size of the images, and returns its lower end.
    fn images(&mut self, [height, width]: [usize; 2], [middle, top]: [i32; 2]) -> i32 {
        let text = format!("Image {height}×{width}×3");
        let half = text::width(&text, LABEL) / 2 + 12;
        self.write(&text, TextStyle::Label, [middle, top + 18]);
        self.images = Some(Rectangle {
            x: middle - half,
            y: top,
            width: 2 * half,
            height: IMAGES,
        });
        top + IMAGES
    }

    /// Draws a panel whose middle line begins at `at`. The line that leads to it becomes the one that leads on. Returns the
    /// lower end.
    fn panel(
        &mut self,
        panel: &Panel,
        at: [i32; 2],
        sides: [i32; 2],
        line: &mut Vec<[i32; 2]>,
    ) -> i32 {
        let [middle, top] = at;
        let rectangle = Rectangle {
            x: middle - sides[0],
            y: top,
            width: sides[0] + sides[1],
            height: panel.height(),
        };
        let count = panel.stage.count;
        self.areas.push(Area { rectangle, count });
        let base = top + panel.base();
        let name = [rectangle.x + PADDING, base];
        self.write(&panel.name, TextStyle::Name, name);
        let amount = [rectangle.right() - PADDING, base];
        self.write(&panel.parameters, TextStyle::Amount, amount);

        let [x, y] = [middle, top + panel.top()];
        self.drawing.add(&panel.block.drawing, [x, y]);
        let moved = |[a, b]: [i32; 2]| [a + x, b + y];
        let entries = panel.block.entries.iter().map(|entry| Entry {
            at: moved(entry.at),
            ..*entry
        });
        let entries: Vec<Entry> = entries.collect();
        fork(&mut self.drawing, line, &entries, y);
        // An empty stage has no exit: the line goes on as it is.
        if let Some(exit) = panel.block.exits.first() {
            *line = vec![moved(exit.at)];
        }
        let sheets = if count > 1 { 2 * SHEET } else { 0 };
        rectangle.bottom() + sheets
    }

    /// Draws an auxiliary classifier to which a line leads at this height, beside panels with this right end. Returns its
    /// right and lower end.
    fn auxiliary(&mut self, panel: &Panel, [right, y]: [i32; 2], line: &[[i32; 2]]) -> [i32; 2] {
        let sides = panel.sides();
        let x = right + BESIDE + sides[0];
        let from = line.last().map_or(x, |point| point[0]);
        let mut line = [line, &[[from, y], [x, y]]].concat();
        let end = self.panel(panel, [x, y + BELOW], sides, &mut line);
        [x + sides[1], end]
    }

    /// Adds the badges of panels and frames that stand for several.
    fn add_badges(&mut self) {
        let areas = self.areas.iter().map(|area| (area.count, area.rectangle));
        let frames = self.drawing.frames.iter();
        let frames = frames.map(|frame| (frame.count, frame.rectangle));
        let repeated: Vec<_> = areas
            .chain(frames)
            .filter(|(count, _)| *count > 1)
            .collect();
        for (count, rectangle) in repeated {
            let width = badge_width(count);
            let badge = Rectangle {
                x: rectangle.right() - PADDING - width,
                y: rectangle.y - 11,
                width,
                height: BADGE,
            };
            let place = [badge.x + width / 2, badge.y + BADGE / 2 + 4];
            self.badges.push(badge);
            self.write(&badge_text(count), TextStyle::Badge, place);
        }
    }
}
