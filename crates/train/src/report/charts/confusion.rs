//! A confusion matrix as a picture.

use plotters::prelude::*;
use plotters::style::FontTransform;
use plotters::style::text_anchor::{HPos, VPos};

use super::drawing::{self, Area, Result, px, text_style, text_width};
use super::labels::Labels;
use super::theme::{self, LineStyle};
use super::{Chart, ReportError};
use crate::record::Confusion;
use crate::report::confusion::NO_PREDICTION;

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
/// Room for the heading and the key.
const MIN_WIDTH: f64 = 340.0;
/// Room beside the cells where there are no names.
const UNNAMED: f64 = 14.0;

/// What the matrix looks like.
struct Layout {
    cell: f64,
    left: f64,
    top: f64,
    bottom: f64,
    rows: Vec<usize>,
    /// The short names of the rows, and of as many columns; none where there is no room for them.
    names: Vec<String>,
    /// What all names share and the short ones leave out.
    shared: Option<String>,
    /// What stands right of the classes.
    rest: Vec<Column>,
}

/// A column that stands for no class.
struct Column {
    name: &'static str,
    /// Images of each row.
    counts: Vec<u64>,
}

impl Column {
    /// Returns a column, where it has an image.
    fn new(name: &'static str, counts: Vec<u64>) -> Option<Self> {
        let any = counts.iter().any(|&count| count > 0);
        any.then_some(Self { name, counts })
    }
}

impl Layout {
    fn new(confusion: &Confusion) -> Self {
        let rows: Vec<usize> = confusion.rows().into_iter().collect();
        let unpredicted = |class: usize| confusion.count(class, None);
        let known = |class: usize| -> u64 {
            let guesses = rows
                .iter()
                .map(|&guess| confusion.count(class, Some(guess)));
            guesses.sum()
        };
        let others = rows
            .iter()
            .map(|&class| confusion.images(class) - known(class) - unpredicted(class));
        let others = Column::new("others", others.collect());
        let unpredicted = rows.iter().map(|&class| unpredicted(class));
        let unpredicted = Column::new(NO_PREDICTION, unpredicted.collect());
        let rest: Vec<_> = others.into_iter().chain(unpredicted).collect();

        let names: Vec<String> = match rows.len() <= NAMED {
            true => rows.iter().map(|&class| confusion.name(class)).collect(),
            false => Vec::new(),
        };
        let labels = Labels::of(names.iter().map(String::as_str), LABEL_LETTERS);
        let wide = |name: &str| text_width(name, drawing::SMALL) + 14.0;
        let room = |names: &mut dyn Iterator<Item = &str>| names.map(wide).fold(UNNAMED, f64::max);
        let mut beside = labels.texts.iter().map(String::as_str);
        let mut below = beside.clone().chain(
            rest.iter()
                .map(|column| column.name)
                .filter(|_| !names.is_empty()),
        );
        Self {
            cell: (EXTENT / rows.len().max(1) as f64).clamp(1.0, CELL),
            left: room(&mut beside) + 18.0,
            top: match labels.shared {
                Some(_) => TOP + drawing::SHARED,
                None => TOP,
            },
            bottom: room(&mut below) + 24.0,
            rows,
            names: labels.texts,
            shared: labels.shared,
            rest,
        }
    }

    fn columns(&self) -> usize {
        self.rows.len() + self.rest.len()
    }

    /// Returns the right and lower edge of the cells.
    fn end(&self) -> (f64, f64) {
        (
            self.left + self.cell * self.columns() as f64,
            self.top + self.cell * self.rows.len() as f64,
        )
    }
}

/// Draws the classes that have images, shaded by the share of their images. Guesses of other classes share a
/// column, and so do images without a prediction.
pub(in crate::report) fn draw(confusion: &Confusion) -> std::result::Result<Chart, ReportError> {
    let layout = Layout::new(confusion);
    let images: u64 = layout
        .rows
        .iter()
        .map(|&class| confusion.images(class))
        .sum();
    let description = format!(
        "{} of {images} images of {} classes were recognized.",
        confusion.recognized(),
        layout.rows.len()
    );
    let (width, height) = layout.end();
    let size = (
        (width + 16.0).max(MIN_WIDTH).ceil() as u32,
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
    let key = "rows: class; columns: prediction; shade: share of the row";
    let style = text_style(theme::MUTED, drawing::SMALL, (HPos::Left, VPos::Center));
    drawing::write(area, key, (px(1.0), px(34.0)), &style)?;
    let (right, bottom) = layout.end();
    if let Some(shared) = &layout.shared {
        drawing::shared(area, "classes", shared, 50.0, right.max(MIN_WIDTH))?;
    }
    let frame = [(px(layout.left), px(layout.top)), (px(right), px(bottom))];
    area.draw(&Rectangle::new(frame, drawing::line(theme::GRID, 1.0)))?;
    for (row, &class) in layout.rows.iter().enumerate() {
        let images = confusion.images(class);
        for (column, &guess) in layout.rows.iter().enumerate() {
            let count = confusion.count(class, Some(guess));
            draw_cell(area, layout, (row, column), count, images)?;
        }
        for (index, column) in layout.rest.iter().enumerate() {
            let place = (row, layout.rows.len() + index);
            draw_cell(area, layout, place, column.counts[row], images)?;
        }
    }
    draw_names(area, layout)
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
    let (x, y) = (place(column, layout.left), place(row, layout.top));
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
fn draw_names(area: &Area, layout: &Layout) -> Result {
    if layout.names.is_empty() {
        return Ok(());
    }
    let size = drawing::SMALL.min(layout.cell * 0.9);
    let beside = text_style(theme::INK, size, (HPos::Right, VPos::Center));
    let below = text_style(theme::INK, size, (HPos::Right, VPos::Center));
    let below = below.transform(FontTransform::Rotate270);
    let (_, bottom) = layout.end();
    let middle = |index: usize| (index as f64 + 0.5) * layout.cell;
    for (row, name) in layout.names.iter().enumerate() {
        let place = (px(layout.left - 6.0), px(layout.top + middle(row)));
        drawing::write(area, name, place, &beside)?;
        let place = (px(layout.left + middle(row)), px(bottom + 6.0));
        drawing::write(area, name, place, &below)?;
    }
    for (index, column) in layout.rest.iter().enumerate() {
        let middle = middle(layout.rows.len() + index);
        let place = (px(layout.left + middle), px(bottom + 6.0));
        drawing::write(area, column.name, place, &below)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;

    #[test]
    fn guesses_of_classes_without_images_share_a_column() {
        let mut confusion = Confusion::new((0..100).map(|class| format!("c{class}")).collect());
        confusion.add(3, Some(3));
        confusion.add(3, Some(77));
        confusion.add(5, Some(5));
        let layout = Layout::new(&confusion);
        assert_eq!((layout.columns(), &layout.rest[0].counts), (3, &vec![1, 0]));
        let chart = draw(&confusion).unwrap();
        assert!(chart.body.contains("others") && !chart.body.contains("c77"));
        assert!(!chart.body.contains(NO_PREDICTION));
    }

    #[test]
    fn images_without_a_prediction_have_a_column() {
        let mut confusion = Confusion::new(vec!["cat".to_owned(), "dog".to_owned()]);
        confusion.add(0, None);
        confusion.add(1, Some(1));
        let layout = Layout::new(&confusion);
        assert_eq!((layout.columns(), &layout.rest[0].counts), (3, &vec![1, 0]));
        let chart = draw(&confusion).unwrap();
        assert!(chart.body.contains(NO_PREDICTION) && !chart.body.contains("others"));
        assert!(chart.description.starts_with("1 of 2 images"));
    }

    #[test]
    fn long_names_of_classes_are_told_apart() {
        let chart = draw(&synthetic::confusion()).unwrap();
        for kind in ["beagle", "boxer", "collie", "dingo", "whippet"] {
            let label = format!("\n{kind}\n");
            assert_eq!(chart.body.matches(&label).count(), 2, "{kind}");
        }
        assert!(
            chart
                .body
                .contains("classes: a photograph of a dog of the kind …")
        );
    }

    #[test]
    fn a_thousand_classes_can_be_drawn() {
        let mut confusion = Confusion::new(Vec::new());
        for class in 0..1000 {
            confusion.add(class, Some((class * 7) % 1000));
        }
        let chart = draw(&confusion).unwrap();
        assert!(chart.body.matches("<rect").count() >= 1000);
    }
}
