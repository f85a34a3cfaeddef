//! The stages of a diagram: those of the graph, where a single map passes from one to the next.

use std::ops::Range;

use super::folding::Folding;
use super::nodes::Node;
use super::structure::{Connections, Series};
use crate::{Graph, GraphStage, StageKind};

/// A stage, or several of the same form, which are drawn once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stage {
    /// Names of the graph's stages, in order.
    pub(super) names: Vec<String>,
    /// How many stages are drawn once.
    pub(super) count: usize,
    /// What it is made of.
    pub(super) series: Series,
    /// Number of trainable parameters of all stages that it stands for.
    pub(super) parameters: u64,
    /// Whether each of them has the same number.
    pub(super) is_even: bool,
    /// The node that gives its output; `None` if that is its input.
    pub(super) output: Option<usize>,
    /// Batch, channels, height and width of the output.
    pub(super) shape: [usize; 4],
    /// Name of the section that begins with it.
    pub(super) section: Option<String>,
    /// Auxiliary classifiers on its output.
    pub(super) auxiliary: Vec<Stage>,
}

/// Divides the nodes of a graph into stages, and folds stages of the same form.
pub(super) fn stages(graph: &Graph, folding: &mut Folding) -> Vec<Stage> {
    let nodes = folding.nodes.clone();
    let mut stages = Division::new(graph, &nodes).stages();
    for stage in &mut stages {
        let auxiliary = stage.auxiliary.iter_mut();
        let auxiliary = auxiliary.map(|auxiliary| &mut auxiliary.series);
        for series in std::iter::once(&mut stage.series).chain(auxiliary) {
            *series = folding.fold(std::mem::take(series));
        }
    }
    fold(stages, folding)
}

/// The division of a graph's nodes into stages.
struct Division<'a> {
    graph: &'a Graph,
    nodes: &'a [Node],
    connections: Connections<'a>,
    /// The nodes of each stage of the graph.
    members: Vec<Range<usize>>,
}

impl<'a> Division<'a> {
    fn new(graph: &'a Graph, nodes: &'a [Node]) -> Self {
        let place = |operation: usize| nodes.partition_point(|node| node.operations[0] < operation);
        let ranges = graph.stages.iter().map(|stage| &stage.operations);
        Self {
            graph,
            nodes,
            connections: Connections::new(nodes),
            members: ranges
                .map(|range| place(range.start)..place(range.end))
                .collect(),
        }
    }

    /// Returns the stages in order. Where more than one map passes from a stage to those after it, these are one.
    fn stages(&self) -> Vec<Stage> {
        let is_auxiliary =
            |index: &usize| self.graph.stages[*index].kind == StageKind::AuxiliaryClassifier;
        let all = 0..self.graph.stages.len();
        let (mut auxiliary, main): (Vec<usize>, Vec<usize>) = all.partition(is_auxiliary);

        let mut stages = Vec::new();
        let mut source = None;
        let mut parts = Vec::new();
        for (place, &index) in main.iter().enumerate() {
            parts.push(index);
            let maps = self.maps(self.members[index].end, &main[place + 1..]);
            if maps.len() > 1 {
                continue;
            }
            let parts = std::mem::take(&mut parts);
            let mut inside: Vec<usize> = parts
                .iter()
                .flat_map(|part| self.members[*part].clone())
                .collect();
            let output = maps.first().copied();
            let beside = self.auxiliary(&mut auxiliary, &mut inside, source, output);
            let mut stage = self.stage(&parts, &inside);
            stage.section = self.section(&parts);
            stage.auxiliary = beside
                .into_iter()
                .map(|index| {
                    let inside: Vec<usize> = self.members[index].clone().collect();
                    self.stage(&[index], &inside)
                })
                .collect();
            stages.push(stage);
            source = output.flatten();
        }
        stages
    }

    /// Returns the maps of nodes before `end`, or the images, that later stages need.
    fn maps(&self, end: usize, later: &[usize]) -> Vec<Option<usize>> {
        let later = later.iter().flat_map(|index| self.members[*index].clone());
        let mut maps = Vec::new();
        for input in later.flat_map(|node| &self.nodes[node].inputs) {
            if input.is_none_or(|input| input < end) && !maps.contains(input) {
                maps.push(*input);
            }
        }
        maps
    }

    /// Takes those of the auxiliary classifiers that belong to a stage with these nodes, source and output. Returns those
    /// on its output, which stand beside the stages after it. One on another map becomes a part of the stage.
    fn auxiliary(
        &self,
        waiting: &mut Vec<usize>,
        inside: &mut Vec<usize>,
        source: Option<usize>,
        output: Option<Option<usize>>,
    ) -> Vec<usize> {
        let mut beside = Vec::new();
        waiting.retain(|&index| {
            let members = &self.members[index];
            let inputs = members.clone().flat_map(|node| &self.nodes[node].inputs);
            let mut inputs = inputs.filter(|input| !input.is_some_and(|i| members.contains(&i)));
            let Some(first) = inputs.next() else {
                return true;
            };
            if Some(*first) == output && inputs.all(|input| input == first) {
                beside.push(index);
                return false;
            }
            let is_inside = *first == source || first.is_some_and(|node| inside.contains(&node));
            if is_inside {
                inside.extend(members.clone());
            }
            !is_inside
        });
        beside
    }

    /// Makes a stage of these stages of the graph and of these nodes.
    fn stage(&self, parts: &[usize], inside: &[usize]) -> Stage {
        let parts: Vec<&GraphStage> = parts.iter().map(|part| &self.graph.stages[*part]).collect();
        let operations = inside.iter().flat_map(|node| &self.nodes[*node].operations);
        let operations = operations.map(|index| &self.graph.operations[*index]);
        let output = parts.last().and_then(|last| last.output);
        let is_output = |node: &usize| {
            output.is_some_and(|output| self.nodes[*node].operations.contains(&output))
        };
        Stage {
            names: parts.iter().map(|part| part.name.clone()).collect(),
            count: 1,
            series: self.connections.series(inside, None),
            parameters: operations.map(|operation| operation.parameters).sum(),
            is_even: true,
            output: inside.iter().copied().find(is_output),
            shape: parts.last().map_or([0; 4], |last| last.shape),
            section: None,
            auxiliary: Vec::new(),
        }
    }

    /// Returns the name of the section that begins with one of these stages.
    fn section(&self, parts: &[usize]) -> Option<String> {
        let mut sections = self.graph.sections.iter();
        let section = sections.find(|section| parts.contains(&section.stages.start));
        section.map(|section| section.name.clone())
    }
}

/// Folds stages of the same form that follow each other.
fn fold(stages: Vec<Stage>, folding: &mut Folding) -> Vec<Stage> {
    let mut folded: Vec<Stage> = Vec::new();
    let mut run: Vec<Stage> = Vec::new();
    for stage in stages {
        let same = run.last().is_some_and(|last| {
            last.shape == stage.shape
                && last.auxiliary.is_empty()
                && stage.section.is_none()
                && !stage.series.is_empty()
                && folding.form_of(&last.series) == folding.form_of(&stage.series)
        });
        if !same {
            folded.extend(merged(std::mem::take(&mut run), folding));
        }
        run.push(stage);
    }
    folded.extend(merged(run, folding));
    folded
}

/// Makes one stage of several.
fn merged(stages: Vec<Stage>, folding: &mut Folding) -> Option<Stage> {
    let first = stages.first()?;
    let (section, parameters) = (first.section.clone(), first.parameters);
    let is_even = stages.iter().all(|stage| stage.parameters == parameters);
    let (count, last) = (stages.len(), stages.last()?.clone());
    Some(Stage {
        names: stages
            .iter()
            .flat_map(|stage| stage.names.clone())
            .collect(),
        count,
        parameters: stages.iter().map(|stage| stage.parameters).sum(),
        is_even,
        section,
        series: folding.merge(stages.into_iter().map(|stage| stage.series).collect()),
        ..last
    })
}
