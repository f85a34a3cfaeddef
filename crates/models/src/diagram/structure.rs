//! The structure that a reader sees in a graph: nodes in series, and branches beside each other.

use super::nodes::Node;

/// Elements that follow each other.
pub(super) type Series = Vec<Element>;

/// A part of a [`Series`].
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Element {
    /// A node, by its index.
    Node(usize),
    /// Branches with the same input, whose outputs go into the next node. An empty branch is a connection.
    Parallel(Vec<Series>),
    /// Elements that are repeated, drawn once.
    Repeat { count: usize, body: Series },
    /// Nodes that aren't made of series and branches, in the order in which they run.
    Tangle(Vec<usize>),
}

/// The place of a connection to what comes after all members.
const END: usize = usize::MAX;

/// The nodes of a graph, and who uses their outputs.
pub(super) struct Connections<'a> {
    nodes: &'a [Node],
    consumers: Vec<Vec<usize>>,
}

impl<'a> Connections<'a> {
    pub(super) fn new(nodes: &'a [Node]) -> Self {
        let mut consumers = vec![Vec::new(); nodes.len()];
        for (index, node) in nodes.iter().enumerate() {
            for input in node.inputs.iter().flatten() {
                consumers[*input].push(index);
            }
        }
        Self { nodes, consumers }
    }

    /// Finds the structure of nodes that have one source and one destination. A node through which everything passes (a
    /// cut) divides them; what lies between two cuts are branches.
    ///
    /// `members` are in the order in which they run. `join` is the node that takes their outputs.
    pub(super) fn series(&self, members: &[usize], join: Option<usize>) -> Series {
        let mut series = Vec::new();
        let mut first = 0;
        let mut before = None;
        for cut in self.cuts(members).into_iter().chain([members.len()]) {
            let after = members.get(cut).copied();
            let mut branches = self.branches(&members[first..cut], before, after, join);
            match branches.len() {
                0 => {}
                1 => series.append(&mut branches[0]),
                _ => series.push(Element::Parallel(branches)),
            }
            series.extend(after.map(Element::Node));
            (first, before) = (cut + 1, after);
        }
        series
    }

    /// Returns the places of the members through which every path goes: no connection leads past them.
    fn cuts(&self, members: &[usize]) -> Vec<usize> {
        // The number of connections past each place, as differences.
        let mut past = vec![0_i64; members.len() + 1];
        let mut connect = |from: Option<usize>, to: usize| {
            let start = from.map_or(0, |from| from + 1);
            let end = to.min(members.len());
            if start < end {
                past[start] += 1;
                past[end] -= 1;
            }
        };
        let place = |node: usize| members.binary_search(&node).ok();
        for (index, &member) in members.iter().enumerate() {
            for input in &self.nodes[member].inputs {
                connect(input.and_then(place), index);
            }
            let mut leaves = self.consumers[member].iter().map(|node| place(*node));
            if self.consumers[member].is_empty() || leaves.any(|place| place.is_none()) {
                connect(Some(index), END);
            }
        }
        let mut open = 0;
        let mut cuts = Vec::new();
        for (index, difference) in past[..members.len()].iter().enumerate() {
            open += difference;
            if open == 0 {
                cuts.push(index);
            }
        }
        cuts
    }

    /// Returns the branches between two cuts, in the order of the inputs of the node that joins them.
    fn branches(
        &self,
        between: &[usize],
        before: Option<usize>,
        after: Option<usize>,
        join: Option<usize>,
    ) -> Vec<Series> {
        let target = after.or(join);
        let inputs: &[Option<usize>] = target.map_or(&[], |node| &self.nodes[node].inputs);
        let mut branches: Vec<(usize, Series)> = Vec::new();
        for component in self.components(between) {
            let is_from = |input: &Option<usize>| input.is_some_and(|i| component.contains(&i));
            let place = inputs.iter().position(is_from).unwrap_or(END);
            let series = match self.cuts(&component).is_empty() {
                true => vec![Element::Tangle(component)],
                false => self.series(&component, target),
            };
            branches.push((place, series));
        }
        let past = |input: &Option<usize>| match before {
            Some(before) => *input == Some(before),
            None => !input.is_some_and(|input| between.binary_search(&input).is_ok()),
        };
        // What ends between the cuts, or in a node further on, has no connection to a node after it.
        if after.is_some() || (before.is_some() && !between.is_empty()) {
            let places = inputs.iter().enumerate();
            let places = places.filter(|(_, input)| past(input));
            branches.extend(places.map(|(place, _)| (place, Vec::new())));
            let goes_on = |node: usize| {
                let mut consumers = self.consumers[node].iter();
                consumers.any(|consumer| between.binary_search(consumer).is_err())
            };
            if target.is_none() && before.is_some_and(goes_on) {
                branches.push((END, Vec::new()));
            }
        }
        branches.sort_by_key(|(place, _)| *place);
        branches.into_iter().map(|(_, series)| series).collect()
    }

    /// Divides nodes into those that are connected with each other.
    fn components(&self, members: &[usize]) -> Vec<Vec<usize>> {
        let mut labels: Vec<usize> = (0..members.len()).collect();
        for (index, &member) in members.iter().enumerate() {
            for input in self.nodes[member].inputs.iter().flatten() {
                if let Ok(other) = members.binary_search(input) {
                    let (from, to) = (labels[index], labels[other]);
                    for label in &mut labels {
                        if *label == from {
                            *label = to;
                        }
                    }
                }
            }
        }
        let mut components: Vec<(usize, Vec<usize>)> = Vec::new();
        for (&label, &member) in labels.iter().zip(members) {
            match components.iter_mut().find(|(known, _)| *known == label) {
                Some((_, component)) => component.push(member),
                None => components.push((label, vec![member])),
            }
        }
        components
            .into_iter()
            .map(|(_, component)| component)
            .collect()
    }
}
