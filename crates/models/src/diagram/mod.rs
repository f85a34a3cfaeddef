//! Diagrams of networks, drawn from their graphs.
//!
//! A diagram is made in steps, each of which is a function of the one before:
//!
//! 1. `nodes`: operations that a reader sees as one become a box: a convolution with its normalization and activation, the
//!    two parts of a separable convolution. What all convolutions have in common is a convention, said once.
//! 2. `structure`: where a single map is alive the graph is cut; what lies between two cuts are branches beside each other.
//! 3. `folding`: blocks and stages of the same form that follow each other are drawn once, with their number.
//! 4. `arrangement`, `panel`, `columns`, `page`: boxes, stages and columns get their places, in whole pixels.
//! 5. `svg`: the page as SVG.

mod arrangement;
mod block;
mod columns;
mod conventions;
mod drawing;
mod folding;
mod label;
mod nodes;
mod page;
mod panel;
mod stages;
mod structure;
mod svg;
mod tangle;
mod text;
mod theme;

#[cfg(test)]
pub(crate) mod random_graph;
#[cfg(test)]
mod soundness;
#[cfg(test)]
mod tests;

use xception_messages::grouped;

pub use theme::Theme;

use crate::Graph;
use crate::layers::Operation;
use conventions::Conventions;
use folding::Folding;
use page::{Heading, Page};
use panel::Panel;
use stages::Stage;

/// A picture of a network: its stages in columns, the operations of each as boxes, and the maps that pass between them as
/// arrows, with shapes and numbers of parameters.
///
/// Operations that belong together are a box, such as a convolution with batch normalization; what follows every
/// convolution is said below the picture. Blocks and stages of the same form that follow each other are drawn once, with
/// their number. Every operation of the graph is in exactly one box.
///
/// ```
/// use burn::prelude::*;
/// use xception_models::diagram::Theme;
/// use xception_models::{Diagram, Graph, XceptionConfig};
///
/// let network = XceptionConfig::new(1000).init(&Device::flex())?;
/// let graph = Graph::new(&network, [299, 299])?;
/// let diagram = Diagram::new(&graph, "xception", &["F. Chollet, Xception, CVPR 2017"]);
/// let svg = diagram.to_svg(Theme::Auto);
/// assert!(svg.starts_with("<svg ") && svg.contains("SeparableConv 728, 3×3"));
/// # Ok::<(), xception_models::ModelError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Diagram {
    heading: Heading,
    folding: Folding,
    stages: Vec<Stage>,
    page: Page,
    /// Trainable parameters and multiply-adds of each node.
    costs: Vec<[u64; 2]>,
}

impl Diagram {
    /// Draws a graph below a title, lines of text, and the numbers of parameters and multiply-adds.
    pub fn new(graph: &Graph, title: &str, lines: &[&str]) -> Self {
        let nodes = nodes::nodes(graph);
        let conventions = Conventions::new(&nodes);
        let mut folding = Folding::new(nodes, &conventions);
        let stages = stages::stages(graph, &mut folding);

        let lines = lines.iter().copied().map(str::to_owned);
        let heading = Heading {
            title: title.to_owned(),
            lines: lines
                .chain([costs_text(costs(&graph.operations))])
                .collect(),
            note: conventions.note(),
        };
        let page = columns::page(&Panel::all(&stages, &folding), graph.image_size, &heading);
        let of_node = |node: &nodes::Node| {
            let operations = node.operations.iter();
            costs(operations.map(|index| &graph.operations[*index]))
        };
        Self {
            costs: folding.nodes.iter().map(of_node).collect(),
            heading,
            folding,
            stages,
            page,
        }
    }

    /// Returns the width and height of the picture, in pixels.
    pub fn size(&self) -> [u32; 2] {
        [self.page.width, self.page.height].map(i32::unsigned_abs)
    }

    /// Writes the diagram as an SVG file, which needs no font or file beside it. The same diagram is the same text.
    pub fn to_svg(&self, theme: Theme) -> String {
        svg::svg(self, theme)
    }

    /// Describes the picture in words.
    fn description(&self) -> String {
        let stages = self.stages.iter().map(|stage| {
            let name = panel::name(&stage.names, stage.count);
            let times = match stage.count {
                1 => String::new(),
                count => format!(" ({count} times)"),
            };
            format!("{name}{times} {}", label::shape(stage.shape))
        });
        let stages: Vec<_> = stages.collect();
        let lines = self.heading.lines.join("; ");
        format!(
            "{lines}. Stages with the shapes of their outputs: {}.",
            stages.join(", ")
        )
    }

    /// Describes a node: the shape of its output, its parameters and multiply-adds.
    fn details(&self, node: usize) -> String {
        let costs = self.costs[node];
        let node_text = &self.folding.labels[node];
        let node = &self.folding.nodes[node];
        let mut text = format!("{node_text}: {}", label::shape(node.output));
        if costs != [0, 0] {
            text += &format!(", {}", costs_text(costs));
            if node.count > 1 {
                text += &format!(" in all {} times", node.count);
            }
        }
        text
    }
}

/// Counts the trainable parameters and multiply-adds of operations.
fn costs<'a>(operations: impl IntoIterator<Item = &'a Operation>) -> [u64; 2] {
    let costs = operations.into_iter();
    let costs = costs.map(|operation| [operation.parameters, operation.multiply_adds]);
    costs.fold([0, 0], |[a, b], [c, d]| {
        [a.saturating_add(c), b.saturating_add(d)]
    })
}

/// Writes numbers of trainable parameters and multiply-adds.
fn costs_text([parameters, multiply_adds]: [u64; 2]) -> String {
    let multiply_adds = match multiply_adds {
        0..1_000_000_000 => format!("{:.2} M", multiply_adds as f64 / 1e6),
        _ => format!("{:.2} G", multiply_adds as f64 / 1e9),
    };
    format!(
        "{} parameters, {multiply_adds} multiply-adds",
        grouped(parameters)
    )
}
