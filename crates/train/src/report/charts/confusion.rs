//! A confusion matrix as a picture.

use plotters::prelude::*;
use plotters::style::FontTransform;
use plotters::style::text_anchor::{HPos, VPos};

use super::drawing::{self, Area, Result, px, shortened, text_style, text_width};
use super::theme::{self, LineStyle};
use super::{Chart, ReportError};
use crate::report::Confusion;

/// Room for the heading.
const TOP: f64 = 52.0;
/// Height and width of the cells together, where their number allows.
const EXTENT: f64 = 640.0;
/// The largest cell.
const CELL: f64 = 40.0;
/// With more classes than this, cells are too small for numbers.
const NUMBERED: usize = 24;
/// With more classes than this, cells are too small for names.
const NAMED: usize = 60;
const LABEL_LETTERS: usize = 22;
/// Room beside the cells where there are no names.
const UNNAMED: f64 = 14.0;

/// What the matrix looks like.
struct Layout {
    cell: f64,
    left: f64,
    bottom: f64,
    rows: Vec<usize>,
    /// Images of each row that were taken for a class without images.
    others: Vec<u64>,
}

impl Layout {
    fn new(confusion: &Confusion) -> Self {
        let rows: Vec<usize> = confusion.rows().into_iter().collect();
        let known = |class: usize| -> u64 {
            let counts = rows.iter().map(|&guess| confusion.count(class, guess));
            counts.sum()
        };
        let others = rows
            .iter()
            .map(|&class| confusion.images(class) - known(class));
        let others: Vec<u64> = match others.clone().sum::<u64>() {
            0 => Vec::new(),
            _ => others.collect(),
        };
        let names = rows
            .iter()
            .map(|&class| shortened(&confusion.name(class), LABEL_LETTERS));
        let widest = names
            .map(|name| text_width(&name, drawing::SMALL))
            .fold(0.0, f64::max);
        let room = match rows.len() <= NAMED {
            true => widest + 14.0,
            false => UNNAMED,
        };
        Self {
            cell: (EXTENT / rows.len().max(1) as f64).clamp(1.0, CELL),
            left: room + 18.0,
            bottom: room + 24.0,
            rows,
            others,
        }
    }

    fn columns(&self) -> usize {
        self.rows.len() + usize::from(!self.others.is_empty())
    }

    /// Right and lower edge of the cells.
    fn end(&self) -> (f64, f64) {
        (
            self.left + self.cell * self.columns() as f64,
            TOP + self.cell * self.rows.len() as f64,
        )
    }
}

/// Draws the classes that have images, shaded by the share of their images; guesses of other classes share
/// a last column.
pub(in crate::report) fn draw(confusion: &Confusion) -> std::result::Result<Chart, ReportError> {
    let layout = Layout::new(confusion);
    let right = |&class: &usize| confusion.count(class, class);
    let images: u64 = layout
        .rows
        .iter()
        .map(|&class| confusion.images(class))
        .sum();
    let description = format!(
        "{} of {images} images of {} classes were recognized.",
        layout.rows.iter().map(right).sum::<u64>(),
        layout.rows.len()
    );
    let (width, height) = layout.end();
    let size = (
        (width + 16.0).max(320.0).ceil() as u32,
        (height + layout.bottom).ceil() as u32,
    );
    drawing::chart(
        "confusion",
        "Confusion matrix".to_owned(),
        description,
        size,
        |area| draw_all(area, confusion, &layout),
    )
}

fn draw_all(area: &Area, confusion: &Confusion, layout: &Layout) -> Result {
    drawing::heading(area, "Confusion matrix")?;
    let key = "rows: class; columns: first guess; shade: share of the row";
    let style = text_style(theme::MUTED, drawing::SMALL, (HPos::Left, VPos::Center));
    drawing::write(area, key, (px(1.0), px(34.0)), &style)?;
    let (right, bottom) = layout.end();
    let frame = [(px(layout.left), px(TOP)), (px(right), px(bottom))];
    area.draw(&Rectangle::new(frame, drawing::line(theme::GRID, 1.0)))?;
    for (row, &class) in layout.rows.iter().enumerate() {
        let images = confusion.images(class);
        for (column, &guess) in layout.rows.iter().enumerate() {
            let count = confusion.count(class, guess);
            draw_cell(area, layout, (row, column), count, images)?;
        }
        if let Some(&count) = layout.others.get(row) {
            draw_cell(area, layout, (row, layout.rows.len()), count, images)?;
        }
    }
    if layout.rows.len() <= NAMED {
        draw_names(area, confusion, layout)?;
    }
    Ok(())
}

fn draw_cell(
    area: &Area,
    layout: &Layout,
    (row, column): (usize, usize),
    count: u64,
    images: u64,
) -> Result {
    if count == 0 {
        return Ok(());
    }
    let share = count as f64 / images.max(1) as f64;
    let place = |index: usize, start: f64| start + layout.cell * index as f64;
    let (x, y) = (place(column, layout.left), place(row, TOP));
    let corners = [(px(x), px(y)), (px(x + layout.cell), px(y + layout.cell))];
    // A count of 1 in a large class can still be seen, and numbers can be read on the darkest cell.
    let fill = LineStyle::of_cells().colour.rgb().mix(0.08 + 0.48 * share);
    area.draw(&Rectangle::new(corners, fill.filled()))?;
    if layout.rows.len() <= NUMBERED {
        let size = drawing::SMALL.min(layout.cell * 0.42);
        let centre = (HPos::Center, VPos::Center);
        let style = text_style(theme::INK, size, centre);
        let middle = (px(x + layout.cell / 2.0), px(y + layout.cell / 2.0));
        drawing::write(area, &count.to_string(), middle, &style)?;
    }
    Ok(())
}

/// Names of the rows at the left, and of the columns, turned, below.
fn draw_names(area: &Area, confusion: &Confusion, layout: &Layout) -> Result {
    let size = drawing::SMALL.min(layout.cell * 0.9);
    let beside = text_style(theme::INK, size, (HPos::Right, VPos::Center));
    let below = text_style(theme::INK, size, (HPos::Right, VPos::Center));
    let below = below.transform(FontTransform::Rotate270);
    let (_, bottom) = layout.end();
    for column in 0..layout.columns() {
        let name = match layout.rows.get(column) {
            Some(&class) => shortened(&confusion.name(class), LABEL_LETTERS),
            None => "others".to_owned(),
        };
        let middle = (column as f64 + 0.5) * layout.cell;
        let place = (px(layout.left + middle), px(bottom + 6.0));
        drawing::write(area, &name, place, &below)?;
        if column < layout.rows.len() {
            let place = (px(layout.left - 6.0), px(TOP + middle));
            drawing::write(area, &name, place, &beside)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_of_classes_without_images_share_a_column() {
        let mut confusion = Confusion::new((0..100).map(|class| format!("c{class}")).collect());
        confusion.add(3, 3);
        confusion.add(3, 77);
        confusion.add(5, 5);
        let layout = Layout::new(&confusion);
        assert_eq!((layout.columns(), layout.others.clone()), (3, vec![1, 0]));
        let chart = draw(&confusion).unwrap();
        assert!(chart.body.contains("others") && !chart.body.contains("c77"));
    }

    #[test]
    fn a_thousand_classes_can_be_drawn() {
        let mut confusion = Confusion::new(Vec::new());
        for class in 0..1000 {
            confusion.add(class, (class * 7) % 1000);
        }
        let chart = draw(&confusion).unwrap();
        assert!(chart.body.matches("<rect").count() >= 1000);
    }
}
