//! A photo with a heat map over it.

use image::{Rgb, RgbImage};

use super::heat_scale::with_scale;
use super::{Heatmap, SeenPart, inferno};

/// The longest side, in pixels, below which a photo is enlarged.
const SMALL: u32 = 200;
/// Brightness of the photo under the heat, and outside of the part that the network sees.
const SEEN: f32 = 0.8;
const UNSEEN: f32 = 0.3;
/// Opacity of the hottest color over the photo.
const OPACITY: f32 = 0.72;
/// The heat from which on the color covers as much.
const OPAQUE: f32 = 0.6;
/// The lowest color, so that little heat isn't black.
const LOWEST: f32 = 0.2;
/// Ratio of a picture's width to the thickness of its lines.
const LINE: u32 = 600;

impl Heatmap {
    /// Draws the map over the photo that a network saw a part of: the photo in gray, the heat in the colors of
    /// [`inferno`] where the network looked, dimmed where it saw nothing, and a scale below.
    ///
    /// The picture has the size of the photo and the scale's margin below it. A photo of less than 200 pixels a side is
    /// enlarged by a whole factor; a picture narrower than the scale gets margins beside it.
    #[must_use]
    pub fn over(&self, photo: &RgbImage, seen: &SeenPart) -> RgbImage {
        let longest = photo.width().max(photo.height()).max(1);
        let factor = if longest < SMALL {
            SMALL.div_ceil(longest)
        } else {
            1
        };
        let picture = RgbImage::from_fn(photo.width() * factor, photo.height() * factor, |x, y| {
            let point = [y, x].map(|place| (f64::from(place) + 0.5) / f64::from(factor));
            let gray = luminance(photo.get_pixel(x / factor, y / factor));
            let place: [f64; 2] =
                std::array::from_fn(|axis| (point[axis] - seen.offset[axis]) / seen.size[axis]);
            match place.iter().all(|place| (0.0..1.0).contains(place)) {
                true => Rgb(heated(gray, self.at(place))),
                false => Rgb([(gray * UNSEEN).round() as u8; 3]),
            }
        });
        with_scale(&framed(picture, seen, factor))
    }
}

/// Returns the color of a gray pixel under heat from 0 to 1.
pub(super) fn heated(gray: f32, heat: f32) -> [u8; 3] {
    let opacity = OPACITY * (heat / OPAQUE).clamp(0.0, 1.0);
    let color = inferno(LOWEST + (1.0 - LOWEST) * heat);
    color.map(|channel| {
        let below = gray * SEEN;
        (below + opacity * (f32::from(channel) - below)).round() as u8
    })
}

/// Returns the luminance of a pixel by ITU-R BT.601.
fn luminance(pixel: &Rgb<u8>) -> f32 {
    let [red, green, blue] = pixel.0.map(f32::from);
    0.299 * red + 0.587 * green + 0.114 * blue
}

/// Draws a line around the part that was seen, if that isn't the whole picture.
fn framed(mut picture: RgbImage, seen: &SeenPart, factor: u32) -> RgbImage {
    let size = [picture.height(), picture.width()];
    let start: [u32; 2] =
        std::array::from_fn(|axis| (seen.offset[axis] * f64::from(factor)).round() as u32);
    let end: [u32; 2] = std::array::from_fn(|axis| {
        let end = (seen.offset[axis] + seen.size[axis]) * f64::from(factor);
        (end.round() as u32).min(size[axis])
    });
    let thickness = (size[1] / LINE).max(1);
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let place = [y, x];
        let inside = (0..2).all(|axis| (start[axis]..end[axis]).contains(&place[axis]));
        let near = (0..2).any(|axis| {
            let first = start[axis] > 0 && place[axis] < start[axis] + thickness;
            first || end[axis] < size[axis] && place[axis] + thickness >= end[axis]
        });
        if inside && near {
            *pixel = Rgb([255; 3]);
        }
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: SeenPart = SeenPart {
        offset: [0.0, 0.0],
        size: [300.0, 400.0],
    };

    fn photo() -> RgbImage {
        RgbImage::from_pixel(400, 300, Rgb([100, 100, 100]))
    }

    #[test]
    fn the_photo_keeps_its_size_above_the_scale() {
        let map = Heatmap::new(vec![0.0, 1.0], [1, 2]).unwrap();
        let picture = map.over(&photo(), &WHOLE);
        assert_eq!(picture.width(), 400);
        assert!(
            (310..360).contains(&picture.height()),
            "{}",
            picture.height()
        );
        assert_eq!(picture.get_pixel(5, 150).0, [80; 3]);
        assert_eq!(picture.get_pixel(390, 150).0, heated(100.0, 1.0));
        // The margin is white, and holds the scale's colors.
        let bottom = picture.height() - 1;
        assert_eq!(picture.get_pixel(0, bottom).0, [255; 3]);
        let yellow = |pixel: &Rgb<u8>| pixel.0[0] > 180 && pixel.0[1] > 180 && pixel.0[2] < 180;
        assert!((0..400).any(|x| yellow(picture.get_pixel(x, bottom - 10))));
    }

    #[test]
    fn heat_lies_where_the_network_looked() {
        // Of a photo of 300 x 400 the middle 300 x 300; the heat is in the map's right half.
        let seen = SeenPart {
            offset: [0.0, 50.0],
            size: [300.0, 300.0],
        };
        let map = Heatmap::new(vec![0.0, 0.0, 0.0, 1.0], [1, 4]).unwrap();
        let picture = map.over(&photo(), &seen);
        let unseen = [30; 3];
        assert_eq!(picture.get_pixel(20, 100).0, unseen);
        assert_eq!(picture.get_pixel(380, 100).0, unseen);
        assert_eq!(picture.get_pixel(100, 100).0, [80; 3]);
        assert_eq!(picture.get_pixel(340, 100).0, heated(100.0, 1.0));
        assert_eq!(picture.get_pixel(50, 100).0, [255; 3]);
        assert_eq!(picture.get_pixel(349, 100).0, [255; 3]);
    }

    #[test]
    fn small_photos_are_enlarged() {
        let photo = RgbImage::from_fn(32, 16, |x, _| Rgb([if x < 16 { 0 } else { 200 }; 3]));
        let map = Heatmap::new(vec![0.0], [1, 1]).unwrap();
        let seen = SeenPart {
            offset: [0.0, 0.0],
            size: [16.0, 32.0],
        };
        let picture = map.over(&photo, &seen);
        assert_eq!(picture.width(), 224);
        assert_eq!(picture.get_pixel(111, 100).0, [0; 3]);
        assert_eq!(picture.get_pixel(112, 100).0, [160; 3]);
    }

    #[test]
    fn narrow_photos_get_margins_as_wide_as_the_scale() {
        let photo = RgbImage::from_pixel(20, 400, Rgb([100; 3]));
        let map = Heatmap::new(vec![0.0], [1, 1]).unwrap();
        let seen = SeenPart {
            offset: [0.0, 0.0],
            size: [400.0, 20.0],
        };
        let picture = map.over(&photo, &seen);
        assert!(picture.width() > 100, "{}", picture.width());
        assert_eq!(picture.get_pixel(picture.width() / 2, 10).0, [80; 3]);
        assert_eq!(picture.get_pixel(0, 10).0, [255; 3]);
    }
}
