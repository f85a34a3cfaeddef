//! The widths of texts, without knowing the font of the reader.

/// Size of the text in boxes, in pixels.
pub(super) const LABEL: i32 = 13;
/// Size of shapes, amounts and other remarks.
pub(super) const REMARK: i32 = 11;
/// Size of the names of sections.
pub(super) const SECTION: i32 = 16;
/// Size of the name of the network.
pub(super) const TITLE: i32 = 26;

/// Advance widths of the printable ASCII characters in DejaVu Sans, which is wider than the usual sans-serif fonts, in
/// thousandths of the text's size.
const ADVANCES: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636,
    636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632,
    575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685,
    611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579,
    278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
];
/// The width of any other character.
const OTHER: u16 = 1000;
/// The width of `×`.
const TIMES: u16 = 838;

/// Returns the width of a line of text, in pixels, as an even number, so that its middle is a whole one.
pub(super) fn width(text: &str, size: i32) -> i32 {
    let advance = |letter: char| {
        let index = u32::from(letter).checked_sub(0x20);
        let known = index.and_then(|index| ADVANCES.get(index as usize));
        let other = if letter == '×' { TIMES } else { OTHER };
        i32::from(*known.unwrap_or(&other))
    };
    let thousandths: i32 = text.chars().map(advance).sum::<i32>().saturating_mul(size);
    let pixels = thousandths.div_euclid(1000) + 1;
    pixels + pixels % 2
}

/// Returns the width of a line of bold text.
pub(super) fn bold_width(text: &str, size: i32) -> i32 {
    let width = 9 * width(text, size) / 8;
    width + width % 2
}
