//! Charts as SVG, for light and dark surroundings.

pub(super) mod confusion;
pub(super) mod curve;
mod drawing;
mod epochs;
mod forest;
mod labels;
mod names;
mod pareto;
mod plot;
pub(super) mod theme;
mod ticks;

use super::ReportError;
use super::summary::Summary;
use crate::record::AblationRecord;

/// Margin around a chart in a file of its own, in CSS pixels.
const MARGIN: f64 = 12.0;

/// A chart that can stand in a page or in a file of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chart {
    /// Name of its file, without the ending.
    pub(super) stem: &'static str,
    /// What it shows.
    pub(super) title: String,
    /// Its main numbers in words.
    description: String,
    /// Extent of the drawing in its own units.
    size: (u32, u32),
    /// Where its lines or points are, for a page that moves them.
    plot: Option<plot::Plot>,
    /// What stands within the `<svg>` element.
    body: String,
}

/// All charts of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Charts {
    /// Differences to the base, once there are any.
    pub(super) differences: Option<Chart>,
    /// Accuracies and losses by epoch, once there is one.
    pub(super) epochs: Vec<Chart>,
    /// Accuracy against each cost that is known.
    pub(super) fronts: Vec<Chart>,
}

impl Charts {
    /// Draws the charts that `record` has the numbers for.
    pub(super) fn of(record: &AblationRecord, summary: &Summary) -> Result<Self, ReportError> {
        let epochs = curve::Quantity::ALL.map(|quantity| epochs::draw(record, quantity));
        let epochs: Result<Vec<_>, _> = epochs.into_iter().collect();
        Ok(Self {
            differences: forest::draw(record, summary)?,
            epochs: epochs?.into_iter().flatten().collect(),
            fronts: pareto::draw_all(record, summary)?,
        })
    }

    /// Returns the charts in the order of the report.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Chart> {
        self.differences
            .iter()
            .chain(&self.fronts)
            .chain(&self.epochs)
    }
}

impl Chart {
    /// Returns an `<svg>` element to stand in a page, transparent; its dark colours are up to the page, see
    /// [`theme::dark_rules`].
    pub(super) fn inline(&self) -> String {
        let (width, height) = self.size;
        let plot = self.plot.as_ref().map(plot::Plot::attributes);
        let plot = plot.unwrap_or_default();
        self.element(&format!("viewBox=\"0 0 {width} {height}\"{plot}"), "")
    }

    /// Returns a whole file, with a background, a margin and the rules for dark surroundings.
    pub(super) fn standalone(&self) -> String {
        let margin = drawing::px(MARGIN).unsigned_abs();
        let (width, height) = (self.size.0 + 2 * margin, self.size.1 + 2 * margin);
        let scale = drawing::px(1.0).unsigned_abs();
        let attributes = format!(
            "width=\"{}\" height=\"{}\" viewBox=\"-{margin} -{margin} {width} {height}\"",
            width / scale,
            height / scale,
        );
        let rules = theme::dark_rules("svg");
        let before = format!(
            "<style>@media (prefers-color-scheme:dark){{{rules}}}</style>\n\
             <rect x=\"-{margin}\" y=\"-{margin}\" width=\"{width}\" height=\"{height}\" \
             fill=\"{}\"/>\n",
            theme::PAPER.attribute(),
        );
        self.element(&attributes, &before) + "\n"
    }

    fn element(&self, attributes: &str, before: &str) -> String {
        let Self { stem, body, .. } = self;
        let (title, description) = (escaped(&self.title), escaped(&self.description));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" {attributes} role=\"img\" \
             aria-labelledby=\"{stem}-title {stem}-description\" \
             stroke-linecap=\"round\" stroke-linejoin=\"round\">\n\
             <title id=\"{stem}-title\">{title}</title>\n\
             <desc id=\"{stem}-description\">{description}</desc>\n\
             {before}{body}</svg>"
        )
    }
}

/// `text` as the content of an XML element.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;

    fn charts(record: &AblationRecord) -> Charts {
        Charts::of(record, &Summary::of(record)).unwrap()
    }

    #[test]
    fn charts_are_accessible_and_have_a_background_only_in_files() {
        let charts = charts(&synthetic::complete());
        assert_eq!(charts.iter().count(), 8);
        for chart in charts.iter() {
            let (inline, file) = (chart.inline(), chart.standalone());
            for svg in [&inline, &file] {
                assert!(svg.contains("role=\"img\"") && svg.contains("<title"));
                assert_eq!(svg.matches("<svg").count(), 1);
                assert!(!svg.contains("NaN") && !svg.contains("inf"));
            }
            assert!(file.contains("prefers-color-scheme:dark") && file.contains("<rect x=\"-"));
            assert!(!inline.contains("<style>") && !inline.contains("<rect x=\"-"));
        }
    }

    #[test]
    fn names_are_escaped() {
        let mut record = synthetic::complete();
        record.variants[1].name = "<script>&".to_owned();
        for chart in charts(&record).iter() {
            assert!(!chart.inline().contains("<script"), "{}", chart.stem);
        }
    }

    #[test]
    fn partial_records_can_be_drawn() {
        for record in synthetic::all() {
            let charts = charts(&record);
            let has_runs = record
                .variants
                .iter()
                .any(|variant| !variant.runs.is_empty());
            let (epochs, differences) = if has_runs { (4, 1) } else { (0, 0) };
            let average_precision = usize::from(record.data.labels.is_some());
            assert_eq!(charts.epochs.len(), epochs + average_precision);
            assert_eq!(charts.differences.iter().count(), differences);
        }
    }
}
