//! The scale below a picture with heat: its colors from low to high.

use image::{Rgb, RgbImage};

use super::heat_picture::heated;

const WHITE: Rgb<u8> = Rgb([255; 3]);
const BLACK: Rgb<u8> = Rgb([0; 3]);
/// The gray that the scale's colors lie on.
const GRAY: f32 = 150.0;

/// Height and width of a letter, in dots.
const LETTER: [u32; 2] = [7, 5];
/// From a letter to the next, in dots.
const ADVANCE: u32 = LETTER[1] + 1;
/// Space around the labels and the bar, in dots.
const SPACE: u32 = 4;
/// The shortest bar, in dots.
const BAR: u32 = 24;
/// Ratio of a picture's width to the size of a dot, which has at least 2 pixels.
const DOTS: u32 = 320;
/// Ratio of a picture's height to the largest dot, so that the scale is no larger than a panorama.
const ROWS: u32 = 60;

const LOW: &str = "low";
const HIGH: &str = "high";

/// Returns the rows of a letter's dots, the leftmost dot the highest of five bits.
fn letter(letter: char) -> [u8; 7] {
    match letter {
        'g' => [
            0b01111, 0b10001, 0b10001, 0b01111, 0b00001, 0b00001, 0b01110,
        ],
        'h' => [
            0b10000, 0b10000, 0b10110, 0b11001, 0b10001, 0b10001, 0b10001,
        ],
        'i' => [
            0b00100, 0b00000, 0b01100, 0b00100, 0b00100, 0b00100, 0b01110,
        ],
        'l' => [
            0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110,
        ],
        'o' => [
            0b00000, 0b00000, 0b01110, 0b10001, 0b10001, 0b10001, 0b01110,
        ],
        'w' => [
            0b00000, 0b00000, 0b10001, 0b10001, 0b10101, 0b10101, 0b01010,
        ],
        _ => [0; 7],
    }
}

/// Puts the scale below a picture, on white; a narrow picture gets margins beside it.
pub(super) fn with_scale(picture: &RgbImage) -> RgbImage {
    let dot = (picture.width() / DOTS).min(picture.height() / ROWS).max(2);
    let texts = text_width(LOW) + text_width(HIGH);
    let narrowest = (4 * SPACE + texts + BAR) * dot;
    let width = picture.width().max(narrowest);
    let height = picture.height() + (2 * SPACE + LETTER[0]) * dot;
    let mut whole = RgbImage::from_pixel(width, height, WHITE);
    let left = i64::from((width - picture.width()) / 2);
    image::imageops::replace(&mut whole, picture, left, 0);

    let top = picture.height() + SPACE * dot;
    let low = SPACE * dot;
    let high = width - (SPACE + text_width(HIGH)) * dot;
    write(&mut whole, LOW, [top, low], dot);
    write(&mut whole, HIGH, [top, high], dot);
    let (first, last) = (low + (text_width(LOW) + SPACE) * dot, high - SPACE * dot);
    for x in first..last {
        let heat = (x - first) as f32 / (last - first - 1).max(1) as f32;
        for y in top..top + LETTER[0] * dot {
            whole.put_pixel(x, y, Rgb(heated(GRAY, heat)));
        }
    }
    whole
}

/// Returns the width of a text, in dots.
const fn text_width(text: &str) -> u32 {
    text.len() as u32 * ADVANCE - 1
}

/// Writes text at a place (top, left).
fn write(picture: &mut RgbImage, text: &str, [top, left]: [u32; 2], dot: u32) {
    for (character, start) in text.chars().zip((left..).step_by((ADVANCE * dot) as usize)) {
        let rows = letter(character);
        for (row, y) in rows.iter().zip(0..) {
            for x in (0..LETTER[1]).filter(|x| row >> (LETTER[1] - 1 - x) & 1 == 1) {
                for pixel in 0..dot * dot {
                    let place = [start + x * dot + pixel % dot, top + y * dot + pixel / dot];
                    picture.put_pixel(place[0], place[1], BLACK);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_of_the_labels_is_drawn() {
        for character in [LOW, HIGH].concat().chars() {
            assert_ne!(letter(character), [0; 7], "{character}");
        }
    }

    #[test]
    fn the_scale_goes_from_low_to_high() {
        let whole = with_scale(&RgbImage::new(640, 100));
        assert_eq!(whole.width(), 640);
        let y = 100 + (SPACE + LETTER[0] / 2) * 2;
        let row: Vec<_> = (0..640).map(|x| *whole.get_pixel(x, y)).collect();
        let color = |pixel: &Rgb<u8>| pixel.0[0] != pixel.0[2];
        let first = row.iter().position(color).unwrap();
        let last = row.iter().rposition(color).unwrap();
        assert!(
            first > 30 && last < 600 && last - first > 400,
            "{first} {last}"
        );
        assert_eq!(row[last].0, heated(GRAY, 1.0));
        // Labels on both sides.
        assert!(row[..first].contains(&BLACK) && row[last..].contains(&BLACK));
    }
}
