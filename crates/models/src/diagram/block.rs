//! A part of the drawing with its ways in and out.

use super::drawing::{Drawing, Outline, Placed, Rectangle};

/// Distance of a box from the one below.
pub(super) const GAP: i32 = 15;
/// Distance of a box from the branches below, and of the line that divides from these.
const FORK: i32 = 26;
const FORK_LINE: i32 = 15;
/// Length of the line to branches that each of them draws.
const PART: i32 = 8;

/// The way out of a block, at its lower end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exit {
    pub(super) at: [i32; 2],
    /// The node whose output it is; `None` for what comes into the block.
    pub(super) node: Option<usize>,
}

/// The way into a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) at: [i32; 2],
    /// Whether it is a box's, to which an arrow points.
    pub(super) arrow: bool,
}

impl Entry {
    /// Into a box at the upper end.
    pub(super) const ARROW: Self = Self {
        at: [0, 0],
        arrow: true,
    };
    /// A line at the upper end.
    pub(super) const LINE: Self = Self {
        at: [0, 0],
        arrow: false,
    };
}

/// An arranged series. The input comes from above at x = 0; the upper end is y = 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// Extent to the left and to the right of x = 0.
    pub(super) left: i32,
    pub(super) right: i32,
    pub(super) height: i32,
    pub(super) drawing: Drawing,
    pub(super) entries: Vec<Entry>,
    /// None for an empty series.
    pub(super) exits: Vec<Exit>,
}

impl Block {
    /// Returns the distance that the block needs from what is above it.
    pub(super) fn lead(&self) -> i32 {
        match &self.entries[..] {
            [entry] if entry.at[0] == 0 => GAP,
            _ => FORK,
        }
    }

    /// Adds a block, moved to the right and down, without its entries and exits.
    pub(super) fn add(&mut self, other: &Self, [x, y]: [i32; 2]) {
        self.drawing.add(&other.drawing, [x, y]);
        self.left = self.left.max(other.left - x);
        self.right = self.right.max(other.right + x);
        self.height = self.height.max(other.height + y);
    }

    /// Leads an only exit to the middle.
    pub(super) fn straighten(&mut self) {
        let [Exit { at: [x, y], .. }] = self.exits[..] else {
            return;
        };
        if x != 0 {
            let end = [0, self.height + GAP];
            self.drawing.connect([[x, y], [x, end[1]], end], false);
            self.exits[0].at = end;
            self.height = end[1];
        }
    }

    /// Adds a block with its entries and exits.
    pub(super) fn attach(&mut self, other: &Self, by: [i32; 2]) {
        let [x, y] = by;
        self.add(other, by);
        self.entries.extend(other.entries.iter().map(|entry| Entry {
            at: [entry.at[0] + x, entry.at[1] + y],
            ..*entry
        }));
        self.exits.extend(other.exits.iter().map(|exit| Exit {
            at: [exit.at[0] + x, exit.at[1] + y],
            ..*exit
        }));
    }
}

/// Makes the block of a single node.
pub(super) fn place(node: usize, outline: Outline, [left, right]: [i32; 2], height: i32) -> Block {
    let rectangle = Rectangle {
        x: -left,
        y: 0,
        width: left + right,
        height,
    };
    let mut block = Block {
        left,
        right,
        height,
        entries: vec![Entry::ARROW],
        exits: vec![Exit {
            at: [0, height],
            node: Some(node),
        }],
        ..Block::default()
    };
    block.drawing.boxes.push(Placed {
        node,
        outline,
        rectangle,
    });
    block
}

/// Connects a line, given by its points, with the entries of a block whose upper end is at `top`.
pub(super) fn fork(drawing: &mut Drawing, line: &[[i32; 2]], entries: &[Entry], top: i32) {
    let Some(&[x, y]) = line.last() else {
        return;
    };
    let turn = top - FORK_LINE;
    // The first entry has the whole line, the others what is left of it where they part.
    let part = [[x, y.max(turn - PART)]];
    for (index, entry) in entries.iter().enumerate() {
        let before = if index == 0 { line } else { &part };
        let end = entry.at;
        let after = [[x, turn], [end[0], turn], end];
        drawing.connect(before.iter().copied().chain(after), entry.arrow);
    }
}
