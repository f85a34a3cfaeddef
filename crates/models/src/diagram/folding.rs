//! Elements of the same form that follow each other, which are drawn once with their number.

use super::conventions::Conventions;
use super::label::{activation_name, label};
use super::nodes::Node;
use super::structure::{Element, Series};

/// How often boxes have to be repeated, if there are no branches among them, to be drawn once.
const LEAST: usize = 5;

/// Nodes, and which of them stand for others.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Folding {
    pub(super) nodes: Vec<Node>,
    /// The text of each node's box.
    pub(super) labels: Vec<String>,
    /// The activation at the lower side of each node's box.
    pub(super) strips: Vec<Option<&'static str>>,
    /// The node that is drawn for each.
    drawn: Vec<usize>,
}

impl Folding {
    /// Writes the texts of nodes that stand for themselves.
    pub(super) fn new(nodes: Vec<Node>, conventions: &Conventions) -> Self {
        let deviations = || {
            nodes
                .iter()
                .map(|node| (node, conventions.deviations(node)))
        };
        let strips = deviations().map(|(_, deviations)| deviations.with.map(activation_name));
        Self {
            labels: deviations()
                .map(|(node, deviations)| label(node, deviations))
                .collect(),
            strips: strips.collect(),
            drawn: (0..nodes.len()).collect(),
            nodes,
        }
    }

    /// Returns the node that is drawn for a node.
    pub(super) fn drawn(&self, node: usize) -> usize {
        self.drawn[node]
    }

    /// Returns whether a node's input is the output of another, or of one that is drawn as that.
    pub(super) fn feeds(&self, from: Option<usize>, to: usize) -> bool {
        let drawn = |node: Option<usize>| node.map(|node| self.drawn[node]);
        let mut inputs = self.nodes[to].inputs.iter();
        inputs.any(|input| drawn(*input) == drawn(from))
    }

    /// Folds what is repeated in a series and in its branches.
    pub(super) fn fold(&mut self, series: Series) -> Series {
        let mut rest: Series = series
            .into_iter()
            .map(|element| match element {
                Element::Parallel(branches) => {
                    Element::Parallel(branches.into_iter().map(|b| self.fold(b)).collect())
                }
                other => other,
            })
            .collect();
        let mut folded = Vec::new();
        while let Some((start, period, count)) = self.repetition(&rest) {
            let mut after = rest.split_off(start);
            folded.append(&mut rest);
            rest = after.split_off(period * count);
            let mut units = Vec::new();
            while after.len() > period {
                let next = after.split_off(period);
                units.push(std::mem::replace(&mut after, next));
            }
            units.push(after);
            let body = self.merge(units);
            folded.push(Element::Repeat { count, body });
        }
        folded.append(&mut rest);
        folded
    }

    /// Returns the repetition that saves the most elements: where it starts, the length of its unit, and how often that
    /// follows itself. A unit begins with one input and ends with one output.
    fn repetition(&self, series: &[Element]) -> Option<(usize, usize, usize)> {
        let forms: Vec<String> = series.iter().map(|element| self.form(element)).collect();
        let mut best = None;
        let mut most = (0, false);
        for start in 0..series.len() {
            for period in 1..=(series.len() - start) / 2 {
                let unit = &forms[start..start + period];
                let repeated = forms[start..]
                    .chunks(period)
                    .take_while(|next| *next == unit);
                let count = repeated.count();
                let elements = &series[start..start + period];
                // An activation after a residual connection is the end of a unit rather than its beginning.
                let forks = matches!(elements[0], Element::Parallel(_));
                let saved = ((count - 1) * period, forks);
                if saved > most && self.is_unit(elements, count) {
                    most = saved;
                    best = Some((start, period, count));
                }
            }
        }
        best
    }

    fn is_unit(&self, elements: &[Element], count: usize) -> bool {
        let (Some(first), Some(last)) = (elements.first(), elements.last()) else {
            return false;
        };
        let joins = matches!(first, Element::Node(node) if self.nodes[*node].inputs.len() > 1);
        let forks = matches!(last, Element::Parallel(_));
        let is_module = elements
            .iter()
            .any(|element| !matches!(element, Element::Node(_)));
        let least = if is_module { 2 } else { LEAST };
        !joins && !forks && count >= least
    }

    /// Folds series of the same form into the first of them, whose nodes stand for those of the others.
    pub(super) fn merge(&mut self, units: Vec<Series>) -> Series {
        let mut units = units.into_iter();
        let first = units.next().unwrap_or_default();
        let mut members = Vec::new();
        collect(&first, &mut members);
        for unit in units {
            let mut others = Vec::new();
            collect(&unit, &mut others);
            for (&member, &other) in members.iter().zip(&others) {
                let operations = std::mem::take(&mut self.nodes[other].operations);
                self.nodes[member].operations.extend(operations);
                self.nodes[member].count += self.nodes[other].count;
                for drawn in &mut self.drawn {
                    if *drawn == other {
                        *drawn = member;
                    }
                }
            }
        }
        first
    }

    /// Returns a text that is the same for series that are drawn in the same way.
    pub(super) fn form_of(&self, series: &[Element]) -> String {
        let forms: Vec<String> = series.iter().map(|element| self.form(element)).collect();
        forms.join(" > ")
    }

    fn form(&self, element: &Element) -> String {
        match element {
            Element::Node(node) => {
                let (node, label) = (&self.nodes[*node], &self.labels[*node]);
                let [_, _, height, width] = node.output;
                format!("{label} {:?} {height} {width}", node.activation)
            }
            Element::Parallel(branches) => {
                let branches: Vec<_> = branches.iter().map(|b| self.form_of(b)).collect();
                format!("({})", branches.join(" | "))
            }
            Element::Repeat { count, body } => format!("{count} times ({})", self.form_of(body)),
            // A tangle is unlike any other: its connections are part of its form.
            Element::Tangle(nodes) => format!("{nodes:?}"),
        }
    }
}

/// Lists the nodes of a series in order.
pub(super) fn collect(series: &[Element], nodes: &mut Vec<usize>) {
    for element in series {
        match element {
            Element::Node(node) => nodes.push(*node),
            Element::Parallel(branches) => {
                for branch in branches {
                    collect(branch, nodes);
                }
            }
            Element::Repeat { body, .. } => collect(body, nodes),
            Element::Tangle(members) => nodes.extend(members),
        }
    }
}
