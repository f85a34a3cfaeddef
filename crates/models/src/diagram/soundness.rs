//! What holds for every diagram.

use std::collections::HashSet;

use super::Diagram;
use super::drawing::{Outline, Rectangle};
use super::page::{SHEET, TextStyle};
use super::text::{self, LABEL};
use crate::Graph;

impl Rectangle {
    fn overlaps(&self, other: &Self) -> bool {
        self.x < other.right()
            && other.x < self.right()
            && self.y < other.bottom()
            && other.y < self.bottom()
    }

    fn contains(&self, other: &Self) -> bool {
        self.x <= other.x
            && self.y <= other.y
            && other.right() <= self.right()
            && other.bottom() <= self.bottom()
    }
}

impl Diagram {
    /// Lists what is wrong with the diagram of a graph.
    pub(crate) fn faults(&self, graph: &Graph) -> Vec<String> {
        let mut faults = Vec::new();
        operations(self, graph, &mut faults);
        boxes(self, &mut faults);
        texts(self, &mut faults);
        lines(self, &mut faults);
        arrows(self, &mut faults);
        faults
    }
}

/// Every operation is in exactly one box, and every box is drawn once.
fn operations(diagram: &Diagram, graph: &Graph, faults: &mut Vec<String>) {
    let mut counts = vec![0; graph.operations.len()];
    let mut drawn = vec![0; diagram.folding.nodes.len()];
    for placed in &diagram.page.drawing.boxes {
        drawn[placed.node] += 1;
        for &operation in &diagram.folding.nodes[placed.node].operations {
            counts[operation] += 1;
        }
    }
    let twice = drawn.iter().position(|count| *count > 1);
    faults.extend(twice.map(|node| format!("node {node} is drawn twice")));
    for (operation, count) in counts.iter().enumerate().filter(|(_, count)| **count != 1) {
        faults.push(format!("operation {operation} is in {count} boxes"));
    }
}

/// Boxes lie in one panel each, and apart from each other, as do the panels.
fn boxes(diagram: &Diagram, faults: &mut Vec<String>) {
    let page = &diagram.page;
    let whole = Rectangle {
        x: 0,
        y: 0,
        width: page.width,
        height: page.height,
    };
    let areas: Vec<Rectangle> = page.areas.iter().map(|area| area.rectangle).collect();
    let boxes: Vec<Rectangle> = page
        .drawing
        .boxes
        .iter()
        .map(|placed| placed.rectangle)
        .collect();
    for list in [&areas, &boxes] {
        for (index, one) in list.iter().enumerate() {
            if let Some(other) = list[..index].iter().find(|other| one.overlaps(other)) {
                faults.push(format!("{one:?} overlaps {other:?}"));
            }
        }
    }
    let frames = page.drawing.frames.iter().map(|frame| &frame.rectangle);
    for rectangle in boxes.iter().chain(frames) {
        if areas.iter().filter(|area| area.contains(rectangle)).count() != 1 {
            faults.push(format!("{rectangle:?} is not in a panel"));
        }
    }
    for area in &page.areas {
        let sheets = if area.count > 1 { 2 * SHEET } else { 0 };
        let rectangle = Rectangle {
            width: area.rectangle.width + sheets,
            height: area.rectangle.height + sheets,
            ..area.rectangle
        };
        if !whole.contains(&rectangle) {
            faults.push(format!("{rectangle:?} is not on the page"));
        }
    }
}

/// Texts lie on the page, in their boxes, and apart from each other and from all other boxes.
fn texts(diagram: &Diagram, faults: &mut Vec<String>) {
    let page = &diagram.page;
    for placed in &page.drawing.boxes {
        let label = &diagram.folding.labels[placed.node];
        let strip = diagram.folding.strips[placed.node].unwrap_or_default();
        let room = placed.rectangle.width
            - if placed.outline == Outline::Circle {
                0
            } else {
                10
            };
        let needed = text::width(label, LABEL).max(text::width(strip, LABEL));
        if needed > room {
            faults.push(format!("{label} needs {needed} of {room} pixels"));
        }
    }
    let pills = page.images.iter().chain(&page.badges);
    for (index, text) in page.texts.iter().enumerate() {
        let rectangle = text.rectangle();
        let inside = matches!(text.style, TextStyle::Label | TextStyle::Badge);
        if inside && !pills.clone().any(|pill| pill.contains(&rectangle)) {
            faults.push(format!("{} is not in a pill", text.text));
        }
        if rectangle.x < 0 || rectangle.right() > page.width || rectangle.bottom() > page.height {
            faults.push(format!("{} is not on the page", text.text));
        }
        let others = page.texts[..index]
            .iter()
            .map(|other| (other.text.as_str(), other.rectangle()));
        let boxes = page.drawing.boxes.iter();
        let boxes = boxes.map(|b| (diagram.folding.labels[b.node].as_str(), b.rectangle));
        for (other, place) in others.chain(boxes) {
            if place.overlaps(&rectangle) {
                faults.push(format!("{} overlaps {other}", text.text));
            }
        }
    }
}

/// Lines lie on the page, and pass no box or text.
fn lines(diagram: &Diagram, faults: &mut Vec<String>) {
    let page = &diagram.page;
    let texts: Vec<(&str, Rectangle)> = page
        .texts
        .iter()
        .map(|text| (text.text.as_str(), text.rectangle()))
        .collect();
    let boxes: Vec<(&str, Rectangle)> = page
        .drawing
        .boxes
        .iter()
        .map(|placed| {
            (
                diagram.folding.labels[placed.node].as_str(),
                placed.rectangle,
            )
        })
        .collect();
    for line in &page.drawing.lines {
        for ends in line.points.windows(2) {
            let [[ax, ay], [bx, by]] = [ends[0], ends[1]];
            if ax != bx && ay != by {
                faults.push(format!("a line is askew: {line:?}"));
            }
            // A line that touches a box isn't in it.
            let segment = Rectangle {
                x: ax.min(bx),
                y: ay.min(by),
                width: (ax - bx).abs().max(1),
                height: (ay - by).abs().max(1),
            };
            for (name, rectangle) in texts.iter().chain(&boxes) {
                let inner = Rectangle {
                    x: rectangle.x + 1,
                    y: rectangle.y + 1,
                    width: rectangle.width - 2,
                    height: rectangle.height - 2,
                };
                if inner.overlaps(&segment) {
                    faults.push(format!("a line passes {name}: {line:?}"));
                }
            }
            if segment.x < 0 || segment.right() > page.width || segment.bottom() > page.height {
                faults.push(format!("a line leaves the page: {line:?}"));
            }
        }
    }
}

/// An arrow for each of its inputs leads to a box; one for several inputs that are the same map may do.
fn arrows(diagram: &Diagram, faults: &mut Vec<String>) {
    let arrows = diagram.page.drawing.lines.iter().filter(|line| line.arrow);
    let ends: Vec<[i32; 2]> = arrows
        .filter_map(|line| line.points.last().copied())
        .collect();
    for placed in &diagram.page.drawing.boxes {
        let Rectangle { x, y, .. } = placed.rectangle;
        let (right, bottom) = (placed.rectangle.right(), placed.rectangle.bottom());
        let at_edge =
            |end: &&[i32; 2]| (x..=right).contains(&end[0]) && (y..=bottom).contains(&end[1]);
        let count = ends.iter().filter(at_edge).count();
        let inputs = &diagram.folding.nodes[placed.node].inputs;
        let different: HashSet<_> = inputs.iter().collect();
        if !(different.len()..=inputs.len()).contains(&count) {
            let label = &diagram.folding.labels[placed.node];
            faults.push(format!(
                "{count} arrows lead to {label} with the inputs {inputs:?}"
            ));
        }
    }
}
