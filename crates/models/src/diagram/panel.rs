//! The panel of a stage: its boxes, with name and parameters above or beside them.

use super::arrangement::Arrangement;
use super::block::{self, Block};
use super::folding::Folding;
use super::label::parameters;
use super::stages::Stage;
use super::structure::Element;
use super::text::{self, LABEL, REMARK};

/// Height of the line above the boxes, with name and parameters.
const HEADER: i32 = 28;
/// Space within a panel at both sides and below the boxes.
pub(super) const PADDING: i32 = 14;
/// Distance of a text from the line or the box in the middle.
const BESIDE: i32 = 12;
/// The longest name at the side of a box.
const LONGEST: i32 = 130;

/// A stage with its boxes arranged.
pub(super) struct Panel<'a> {
    pub(super) stage: &'a Stage,
    pub(super) block: Block,
    pub(super) name: String,
    pub(super) parameters: String,
    /// Panels of the auxiliary classifiers on its output.
    pub(super) auxiliary: Vec<Self>,
}

impl<'a> Panel<'a> {
    /// Arranges the boxes of stages that follow each other.
    pub(super) fn all(stages: &'a [Stage], folding: &Folding) -> Vec<Self> {
        let with_auxiliary = stages.iter().flat_map(|stage| {
            let auxiliary = stage.auxiliary.iter().map(|auxiliary| &auxiliary.series);
            std::iter::once(&stage.series).chain(auxiliary)
        });
        let arrangement = Arrangement::new(folding, with_auxiliary);
        let mut source = None;
        let mut panels = Vec::new();
        for stage in stages {
            panels.push(Self::new(stage, source, &arrangement));
            source = stage.output.or(source);
        }
        panels
    }

    fn new(stage: &'a Stage, source: Option<usize>, arrangement: &Arrangement) -> Self {
        let output = stage.output.or(source);
        let auxiliary = stage.auxiliary.iter();
        Self {
            block: arrangement.trunk(&stage.series, source, output),
            name: name(&stage.names, stage.count),
            parameters: parameters(stage),
            auxiliary: auxiliary
                .map(|stage| Self::new(stage, output, arrangement))
                .collect(),
            stage,
        }
    }

    /// Returns whether name and parameters stand at the sides of a single box instead of above.
    fn is_row(&self) -> bool {
        matches!(self.stage.series[..], [Element::Node(_)])
            && text::bold_width(&self.name, LABEL) <= LONGEST
    }

    /// Returns the extent to both sides of the middle line.
    pub(super) fn sides(&self) -> [i32; 2] {
        let name = text::bold_width(&self.name, LABEL) + BESIDE;
        let parameters = text::width(&self.parameters, REMARK) + BESIDE;
        let Block { left, right, .. } = self.block;
        let [left, right] = match self.is_row() {
            true => [left + name, right + parameters],
            false => [left.max(name), right.max(parameters)],
        };
        [left + PADDING, right + PADDING]
    }

    /// Returns whether the boxes reach equally far to both sides.
    pub(super) fn is_even(&self) -> bool {
        self.block.left == self.block.right
    }

    /// Returns the distance of the boxes from the upper end.
    pub(super) fn top(&self) -> i32 {
        match self.stage.series.first() {
            _ if self.is_row() => PADDING,
            _ if self.block.lead() > block::GAP => HEADER + 18,
            // With a badge.
            Some(Element::Repeat { .. }) => HEADER + 14,
            _ => HEADER + 8,
        }
    }

    /// Returns the distance of the name's base line from the upper end.
    pub(super) fn base(&self) -> i32 {
        match self.is_row() {
            true => self.top() + self.block.height / 2 + 4,
            false => 20,
        }
    }

    pub(super) fn height(&self) -> i32 {
        match self.stage.series.is_empty() {
            true => HEADER,
            false => self.top() + self.block.height + PADDING,
        }
    }
}

/// Returns the name of a panel for stages of these names: all of them if they are drawn together, the first and what is
/// different in the last if one is drawn for all.
pub(super) fn name(names: &[String], count: usize) -> String {
    let (Some(first), Some(last)) = (names.first(), names.last()) else {
        return String::new();
    };
    if count < names.len() || names.len() == 1 {
        return names.join(" + ");
    }
    let same = first.chars().zip(last.chars()).take_while(|(a, b)| a == b);
    let prefix: String = same.map(|(letter, _)| letter).collect();
    // Numbers stay whole: 9 to 10, and 10 to 12.
    let is_digit = |letter: char| letter.is_ascii_digit();
    let word = prefix.trim_end_matches(is_digit);
    let numbered = |name: &str| name[word.len()..].chars().all(is_digit);
    let start = match numbered(first) && numbered(last) {
        true => word.len(),
        false => prefix.len(),
    };
    format!("{first}–{}", &last[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str], count: usize) -> String {
        let names: Vec<String> = names.iter().copied().map(str::to_owned).collect();
        name(&names, count)
    }

    #[test]
    fn stages_drawn_once_are_named_by_the_first_and_the_last() {
        assert_eq!(named(&["stem"], 1), "stem");
        assert_eq!(named(&["block5", "block6", "block12"], 3), "block5–12");
        assert_eq!(named(&["block10", "block11", "block12"], 3), "block10–12");
        assert_eq!(named(&["Mixed_6c", "Mixed_6d"], 2), "Mixed_6c–d");
        assert_eq!(named(&["α1", "β2"], 2), "α1–β2");
        assert_eq!(named(&["one", "two"], 1), "one + two");
        assert_eq!(named(&[], 1), "");
    }
}
