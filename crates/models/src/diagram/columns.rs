//! The division of the panels into columns.

use super::page::{self, Heading, Page};
use super::panel::Panel;

/// Most columns.
const MOST: usize = 8;
/// The ratio of width to height that a page has at most, and that it should have.
const WIDEST: f64 = 1.6;
const WANTED: f64 = 1.25;
/// The least ratio of a page with a column for each section.
const NARROWEST: f64 = 0.65;
/// Counts against a column that ends where an auxiliary classifier begins, in pixels of height.
const AWKWARD: i32 = 400;

/// Draws the panels on a page: a column for each section if that makes a page of a usual ratio, else as many columns as do.
pub(super) fn page(panels: &[Panel], image_size: [usize; 2], heading: &Heading) -> Page {
    let draw = |starts: &[usize]| page::draw(&columns(panels, starts), image_size, heading);
    let ratio = |page: &Page| f64::from(page.width) / f64::from(page.height.max(1));

    let sections = (1..panels.len()).filter(|index| panels[*index].stage.section.is_some());
    let sections: Vec<usize> = sections.collect();
    if !sections.is_empty() {
        let page = draw(&sections);
        if (NARROWEST..=WIDEST).contains(&ratio(&page)) {
            return page;
        }
    }
    let distance = |page: &Page| (ratio(page) / WANTED).ln().abs();
    let mut best = draw(&[]);
    for count in 2..=MOST.min(panels.len()) {
        let page = draw(&starts(panels, count));
        if ratio(&page) <= WIDEST && distance(&page) < distance(&best) {
            best = page;
        }
    }
    best
}

/// Divides panels into columns that start at these, and at the first.
fn columns<'a>(panels: &'a [Panel<'a>], starts: &[usize]) -> Vec<&'a [Panel<'a>]> {
    let ends = starts.iter().copied().chain([panels.len()]);
    let starts = std::iter::once(0).chain(starts.iter().copied());
    starts
        .zip(ends)
        .map(|(start, end)| &panels[start..end])
        .collect()
}

/// Returns the panels at which at most this many columns start, after the first, so that the highest column is as low as it
/// can be.
fn starts(panels: &[Panel], count: usize) -> Vec<usize> {
    let height = |start: usize, end: usize| {
        let heights = panels[start..end].iter().map(page::height_with_gap);
        let is_awkward = end < panels.len()
            && panels[start..end]
                .last()
                .is_some_and(|last| !last.auxiliary.is_empty());
        heights.sum::<i32>() + if is_awkward { AWKWARD } else { 0 }
    };
    // For each number of panels, the lowest page that they make, and where its last column starts.
    let first = (0..=panels.len()).map(|end| (height(0, end), 0));
    let mut lowest: Vec<Vec<(i32, usize)>> = vec![first.collect()];
    for column in 1..count {
        let before = &lowest[column - 1];
        let row = (0..=panels.len()).map(|end| {
            let options = (0..=end).map(|start| (before[start].0.max(height(start, end)), start));
            options.min().unwrap_or_default()
        });
        let row = row.collect();
        lowest.push(row);
    }
    let mut starts = Vec::new();
    let mut end = panels.len();
    for row in lowest[1..].iter().rev() {
        end = row[end].1;
        starts.push(end);
    }
    starts.reverse();
    starts.retain(|start| *start > 0);
    starts.dedup();
    starts
}
