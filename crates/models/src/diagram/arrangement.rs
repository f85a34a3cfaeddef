//! The arrangement of a series: boxes below each other, branches beside each other.

use super::block::{Block, Entry, Exit, fork, place};
use super::drawing::{Drawing, Frame, Outline, Rectangle};
use super::folding::Folding;
use super::nodes::Form;
use super::structure::{Element, Series};
use super::text::{self, LABEL, REMARK};
use crate::layers::OperationKind;

/// Height of a box.
const BOX: i32 = 28;
/// Height of the strip with a box's activation.
pub(super) const STRIP: i32 = 15;
/// Height of a low box.
const SLIM: i32 = 20;
/// Diameter of a circle.
const CIRCLE: i32 = 22;
/// Space at both sides of a box's text.
const PADDING: i32 = 10;
/// Distance of branches from each other.
pub(super) const BETWEEN: i32 = 16;
/// Half of the width of a branch without a box.
pub(super) const HALF_LINE: i32 = 10;
/// Space within a frame.
const FRAME: i32 = 12;
/// Height of a badge.
pub(super) const BADGE: i32 = 18;
/// Most branches that are added in a circle.
const CIRCLE_BRANCHES: usize = 3;

/// Arranges series.
pub(super) struct Arrangement<'a> {
    pub(super) folding: &'a Folding,
    /// Width of the boxes that have no branch beside them.
    width: i32,
}

impl<'a> Arrangement<'a> {
    /// Chooses the width of the boxes in these series.
    pub(super) fn new<'s>(
        folding: &'a Folding,
        series: impl IntoIterator<Item = &'s Series>,
    ) -> Self {
        let mut arrangement = Self { folding, width: 0 };
        let widths = series.into_iter().map(|series| arrangement.widest(series));
        arrangement.width = widths.max().unwrap_or(0);
        arrangement
    }

    /// Returns the width of the widest box that has no branch beside it, except for shortcuts.
    fn widest(&self, series: &[Element]) -> i32 {
        let mut widest = 0;
        for (index, element) in series.iter().enumerate() {
            let width = match element {
                Element::Node(node) => match self.outline(*node) {
                    Outline::Box => self.label_width(*node),
                    _ => 0,
                },
                Element::Parallel(branches) => {
                    match self.are_added(branches, series.get(index + 1)) {
                        true => self.widest(&branches[main_branch(branches)]),
                        false => 0,
                    }
                }
                Element::Repeat { body, .. } => self.widest(body),
                Element::Tangle(_) => 0,
            };
            widest = widest.max(width);
        }
        widest
    }

    /// Arranges a series that has no branch beside it, from the output of the node `source` to that of the node `output`.
    pub(super) fn trunk(
        &self,
        series: &[Element],
        source: Option<usize>,
        output: Option<usize>,
    ) -> Block {
        let mut block = self.series(series, self.width, source);
        let drawn = |node: Option<usize>| node.map(|node| self.folding.drawn(node));
        block.exits.retain(|exit| drawn(exit.node) == drawn(output));
        block.exits.truncate(1);
        block.straighten();
        block
    }

    /// Arranges a series of boxes that have at least this width.
    fn series(&self, series: &[Element], least: i32, source: Option<usize>) -> Block {
        let nodes = series.iter().filter_map(|element| match element {
            Element::Node(node) if self.outline(*node) == Outline::Box => Some(*node),
            _ => None,
        });
        let widths = nodes.map(|node| self.label_width(node));
        let width = widths.max().unwrap_or(0).max(least);

        let mut block = Block::default();
        let mut open: Vec<Exit> = Vec::new();
        for (index, element) in series.iter().enumerate() {
            let source = open.first().map_or(source, |exit| exit.node);
            let part = match element {
                Element::Node(node) => self.node(*node, width, &open),
                Element::Parallel(branches) => {
                    match self.are_added(branches, series.get(index + 1)) {
                        true => self.shortcuts(branches, width, source),
                        false => self.beside(branches, source),
                    }
                }
                Element::Repeat { count, body } => self.repeated(*count, body, width, source),
                Element::Tangle(nodes) => self.tangle(nodes),
            };
            let top = match index {
                0 => 0,
                _ => block.height + part.lead(),
            };
            block.add(&part, [0, top]);
            let entries = part.entries.iter().map(|entry| Entry {
                at: [entry.at[0], entry.at[1] + top],
                ..*entry
            });
            let entries: Vec<Entry> = entries.collect();
            match index {
                0 => block.entries = entries,
                _ => self.join(&mut block.drawing, element, &open, &entries, top),
            }
            let exits = part.exits.iter().map(|exit| Exit {
                at: [exit.at[0], exit.at[1] + top],
                ..*exit
            });
            open = match exits.len() {
                0 => open,
                _ => exits.collect(),
            };
        }
        block.exits = open;
        block
    }

    /// Connects what comes from above with an element.
    fn join(
        &self,
        drawing: &mut Drawing,
        element: &Element,
        open: &[Exit],
        entries: &[Entry],
        top: i32,
    ) {
        let Element::Node(node) = element else {
            if let [exit] = open {
                fork(drawing, &[exit.at], entries, top);
            }
            return;
        };
        let is_circle = self.is_circle(*node, open.len());
        for exit in open
            .iter()
            .filter(|exit| self.folding.feeds(exit.node, *node))
        {
            let [x, y] = exit.at;
            let end = match (is_circle, x.signum()) {
                (true, side @ (-1 | 1)) => [side * CIRCLE / 2, top + CIRCLE / 2],
                _ => [x, top],
            };
            drawing.connect([[x, y], [x, end[1]], end], true);
        }
    }

    /// Returns whether branches are those of a residual connection, which is drawn beside them.
    fn are_added(&self, branches: &[Series], next: Option<&Element>) -> bool {
        let Some(Element::Node(next)) = next else {
            return false;
        };
        self.is_circle(*next, branches.len()) && !branches.iter().all(Vec::is_empty)
    }

    /// Returns whether a node with this number of inputs is a circle.
    fn is_circle(&self, node: usize, inputs: usize) -> bool {
        self.folding.nodes[node].is_addition() && inputs <= CIRCLE_BRANCHES
    }

    /// Arranges the branches of a residual connection: the longest in the middle, the others to its left.
    fn shortcuts(&self, branches: &[Series], width: i32, source: Option<usize>) -> Block {
        let main = main_branch(branches);
        let mut block = self.series(&branches[main], width, source);
        let others = branches.iter().enumerate().filter(|(i, _)| *i != main);
        let height = block.height;
        let mut edge = -block.left;
        for (_, branch) in others {
            let part = self.branch(branch, source);
            let x = edge - BETWEEN - part.right;
            let y = (height - part.height).max(0) / 2;
            block.attach(&part, [x, y]);
            edge = x - part.left;
        }
        block
    }

    /// Arranges branches beside each other.
    fn beside(&self, branches: &[Series], source: Option<usize>) -> Block {
        let parts: Vec<Block> = branches
            .iter()
            .map(|branch| self.branch(branch, source))
            .collect();
        let widths = parts.iter().map(|part| part.left + part.right);
        let total = widths.sum::<i32>() + BETWEEN * (parts.len() as i32 - 1);
        let mut edge = -total / 2;
        let mut block = Block::default();
        for part in &parts {
            block.attach(part, [edge + part.left, 0]);
            edge += part.left + part.right + BETWEEN;
        }
        block
    }

    /// Arranges a branch that has others beside it.
    fn branch(&self, series: &[Element], source: Option<usize>) -> Block {
        if !series.is_empty() {
            return self.series(series, 0, source);
        }
        Block {
            left: HALF_LINE,
            right: HALF_LINE,
            entries: vec![Entry::LINE],
            exits: vec![Exit {
                at: [0, 0],
                node: source,
            }],
            ..Block::default()
        }
    }

    /// Arranges what is repeated, with a frame around it.
    fn repeated(&self, count: usize, body: &[Element], width: i32, source: Option<usize>) -> Block {
        let body = self.series(body, width, source);
        let badge = badge_width(count) + 2 * PADDING;
        let mut block = Block::default();
        let top = body.lead() + 2;
        block.attach(&body, [0, top]);
        let entries = std::mem::replace(&mut block.entries, vec![Entry::LINE]);
        fork(&mut block.drawing, &[[0, 0]], &entries, top);
        block.left += FRAME;
        block.right = block.right.max(badge + PADDING) + FRAME;
        block.height += FRAME;
        block.drawing.frames.push(Frame {
            rectangle: Rectangle {
                x: -block.left,
                y: 0,
                width: block.left + block.right,
                height: block.height,
            },
            count,
        });
        for exit in &mut block.exits {
            let [x, y] = exit.at;
            block.drawing.connect([[x, y], [x, block.height]], false);
            exit.at = [x, block.height];
        }
        block
    }

    /// Arranges a single node below these exits.
    fn node(&self, node: usize, width: i32, open: &[Exit]) -> Block {
        let half = self.label_width(node) / 2;
        match self.outline(node) {
            _ if self.is_circle(node, open.len()) => {
                place(node, Outline::Circle, [CIRCLE / 2; 2], CIRCLE)
            }
            Outline::Slim if open.len() < 2 => place(node, Outline::Slim, [half; 2], SLIM),
            Outline::Box if open.len() < 2 => self.framed(node, half.max(width / 2)),
            _ => {
                let xs = || open.iter().map(|exit| exit.at[0]);
                let left = xs().map(|x| 2 * PADDING - x).max().unwrap_or(0);
                let right = xs().map(|x| 2 * PADDING + x).max().unwrap_or(0);
                place(node, Outline::Bar, [left.max(half), right.max(half)], SLIM)
            }
        }
    }

    /// Arranges a node as a box that reaches this far to both sides.
    pub(super) fn framed(&self, node: usize, half: i32) -> Block {
        let strip = match self.folding.strips[node] {
            Some(_) => STRIP,
            None => 0,
        };
        place(node, Outline::Box, [half; 2], BOX + strip)
    }

    /// Returns the outline of a node below a single one.
    fn outline(&self, node: usize) -> Outline {
        let node = &self.folding.nodes[node];
        match node.form {
            _ if node.inputs.len() > 1 => Outline::Bar,
            Form::Single(
                OperationKind::Activation(_)
                | OperationKind::Normalization
                | OperationKind::Scaling
                | OperationKind::Flattening
                | OperationKind::ChannelShuffle { .. },
            ) => Outline::Slim,
            _ => Outline::Box,
        }
    }

    /// Returns the width of a box around a node's text.
    pub(super) fn label_width(&self, node: usize) -> i32 {
        text::width(&self.folding.labels[node], LABEL) + 2 * PADDING
    }
}

/// Returns the branch with the most boxes, the first of several.
fn main_branch(branches: &[Series]) -> usize {
    let lengths = branches.iter().map(|branch| length(branch));
    let longest = lengths
        .enumerate()
        .max_by_key(|(index, length)| (*length, usize::MAX - index));
    longest.map_or(0, |(index, _)| index)
}

/// Returns the number of boxes below each other.
fn length(series: &[Element]) -> usize {
    let lengths = series.iter().map(|element| match element {
        Element::Node(_) => 1,
        Element::Parallel(branches) => branches.iter().map(|b| length(b)).max().unwrap_or(0),
        Element::Repeat { body, .. } => length(body),
        Element::Tangle(nodes) => nodes.len(),
    });
    lengths.sum()
}

/// Returns the text that says how often something is repeated.
pub(super) fn badge_text(count: usize) -> String {
    format!("× {count}")
}

/// Returns the width of the badge with that text.
pub(super) fn badge_width(count: usize) -> i32 {
    text::bold_width(&badge_text(count), REMARK) + PADDING
}
