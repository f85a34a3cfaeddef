//! The arrangement of nodes that are neither a series nor branches beside each other.

use super::arrangement::{Arrangement, BETWEEN, HALF_LINE};
use super::block::{Block, Entry, Exit, GAP};

/// Distance of lines at the side of a box from its upper end, where they lead in, and from its lower end, where they lead
/// out.
const FROM_END: i32 = 7;

impl Arrangement<'_> {
    /// Arranges nodes below each other in their order. A map passes from one to the next directly, and to all others by a
    /// line of its own at the right.
    pub(super) fn tangle(&self, nodes: &[usize]) -> Block {
        let widths = nodes.iter().map(|node| self.label_width(*node));
        let half = widths.max().unwrap_or(0) / 2;
        let mut block = Block::default();
        let mut ends: Vec<[i32; 2]> = Vec::new();
        for &node in nodes {
            let top = block.height + if ends.is_empty() { 0 } else { GAP };
            block.add(&self.framed(node, half), [0, top]);
            ends.push([top, block.height]);
        }
        let mut stack = Stack {
            arrangement: self,
            nodes,
            ends,
            half,
            next_line: half + BETWEEN,
            block,
        };
        stack.connect(None);
        for place in 0..nodes.len() {
            stack.connect(Some(place));
        }
        stack.block.straighten();
        stack.block
    }
}

/// Boxes below each other.
struct Stack<'a> {
    arrangement: &'a Arrangement<'a>,
    nodes: &'a [usize],
    /// Upper and lower end of each box.
    ends: Vec<[i32; 2]>,
    /// Half of the width of the boxes.
    half: i32,
    /// The place of the next line at the right.
    next_line: i32,
    block: Block,
}

impl Stack<'_> {
    fn place(&self, node: usize) -> Option<usize> {
        self.nodes.iter().position(|other| *other == node)
    }

    /// Returns whether a box needs the output of another, or what comes from outside.
    fn takes(&self, to: usize, from: Option<usize>) -> bool {
        let mut inputs = self.arrangement.folding.nodes[self.nodes[to]].inputs.iter();
        inputs.any(|input| input.and_then(|node| self.place(node)) == from)
    }

    /// Returns whether something outside needs the output of a box.
    fn leaves(&self, place: usize) -> bool {
        let folding = self.arrangement.folding;
        let mut outside = (0..folding.nodes.len()).filter(|node| self.place(*node).is_none());
        outside.any(|node| folding.feeds(Some(self.nodes[place]), node))
    }

    /// Draws where the output of a box, or what comes from outside, is needed.
    fn connect(&mut self, from: Option<usize>) {
        let next = from.map_or(0, |from| from + 1);
        if next < self.nodes.len() && self.takes(next, from) {
            match from {
                None => self.block.entries.push(Entry::ARROW),
                Some(from) => {
                    let points = [[0, self.ends[from][1]], [0, self.ends[next][0]]];
                    self.block.drawing.connect(points, true);
                }
            }
        }
        let far = (next + 1..self.nodes.len()).filter(|to| self.takes(*to, from));
        let far: Vec<usize> = far.collect();
        let exit = from.filter(|from| self.leaves(*from));
        let is_last = next == self.nodes.len();
        if let (Some(from), true) = (exit, is_last) {
            self.exit(from, 0);
        } else if exit.is_some() || !far.is_empty() {
            self.line(from, &far, exit);
        }
    }

    /// Draws a line at the right from a box, or from outside, to others, and to an exit.
    fn line(&mut self, from: Option<usize>, to: &[usize], exit: Option<usize>) {
        let x = self.next_line;
        let start = match from {
            None => {
                let at = [x, 0];
                self.block.entries.push(Entry { at, ..Entry::LINE });
                at
            }
            Some(from) => [self.half, self.ends[from][1] - FROM_END],
        };
        for &to in to {
            let y = self.ends[to][0] + FROM_END;
            let points = [start, [x, start[1]], [x, y], [self.half, y]];
            self.block.drawing.connect(points, true);
        }
        if let Some(from) = exit {
            let points = [start, [x, start[1]], [x, self.block.height]];
            self.block.drawing.connect(points, false);
            self.exit(from, x);
        }
        self.block.right = x + HALF_LINE;
        self.next_line += BETWEEN;
    }

    fn exit(&mut self, from: usize, x: i32) {
        self.block.exits.push(Exit {
            at: [x, self.block.height],
            node: Some(self.nodes[from]),
        });
    }
}
