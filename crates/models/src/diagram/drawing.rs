//! The parts of a drawing, in whole pixels.

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rectangle {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

impl Rectangle {
    pub(super) fn right(&self) -> i32 {
        self.x + self.width
    }

    pub(super) fn bottom(&self) -> i32 {
        self.y + self.height
    }

    fn moved(self, [x, y]: [i32; 2]) -> Self {
        Self {
            x: self.x + x,
            y: self.y + y,
            ..self
        }
    }
}

/// The shape of a node's box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outline {
    /// A box.
    Box,
    /// A low box with round ends, for an operation without parameters or pixels around each.
    Slim,
    /// A circle, in which two branches are added.
    Circle,
    /// A low box below several branches.
    Bar,
}

/// A node's box in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) node: usize,
    pub(super) outline: Outline,
    pub(super) rectangle: Rectangle,
}

/// A connection: points that horizontal and vertical lines connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) points: Vec<[i32; 2]>,
    /// Whether it ends with an arrowhead.
    pub(super) arrow: bool,
}

/// A frame around what is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) rectangle: Rectangle,
    pub(super) count: usize,
}

/// Boxes, lines and frames.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Drawing {
    pub(super) boxes: Vec<Placed>,
    pub(super) lines: Vec<Line>,
    pub(super) frames: Vec<Frame>,
}

impl Drawing {
    /// Adds another drawing, moved to the right and down.
    pub(super) fn add(&mut self, other: &Self, by: [i32; 2]) {
        let [x, y] = by;
        self.boxes.extend(other.boxes.iter().map(|placed| Placed {
            rectangle: placed.rectangle.moved(by),
            ..*placed
        }));
        self.lines.extend(other.lines.iter().map(|line| Line {
            points: line.points.iter().map(|[a, b]| [a + x, b + y]).collect(),
            ..*line
        }));
        self.frames.extend(other.frames.iter().map(|frame| Frame {
            rectangle: frame.rectangle.moved(by),
            ..*frame
        }));
    }

    /// Adds a line, without the points that are in the middle of a straight part.
    pub(super) fn connect(&mut self, points: impl IntoIterator<Item = [i32; 2]>, arrow: bool) {
        let mut kept: Vec<[i32; 2]> = Vec::new();
        for point in points {
            let straight = |a: [i32; 2], b: [i32; 2]| {
                a[0] == b[0] && b[0] == point[0] || a[1] == b[1] && b[1] == point[1]
            };
            if let [.., a, b] = kept[..]
                && straight(a, b)
            {
                kept.pop();
            }
            if kept.last() != Some(&point) {
                kept.push(point);
            }
        }
        if kept.len() > 1 {
            self.lines.push(Line {
                points: kept,
                arrow,
            });
        }
    }
}
