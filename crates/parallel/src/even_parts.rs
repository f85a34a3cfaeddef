//! The division of a batch.

use std::ops::Range;

/// Divides `images` images into at most `parts` contiguous parts whose sizes differ by at most one, the larger ones first. There
/// are fewer parts where one would have fewer than `least` images, and none without an image.
pub fn even_parts(
    images: usize,
    parts: usize,
    least: usize,
) -> impl ExactSizeIterator<Item = Range<usize>> {
    let most = match images {
        0 => 0,
        _ => (images / least.max(1)).max(1),
    };
    let parts = parts.min(most);
    let (size, larger) = match parts {
        0 => (0, 0),
        _ => (images / parts, images % parts),
    };
    (0..parts).map(move |part| {
        let start = part * size + part.min(larger);
        start..start + size + usize::from(part < larger)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(images: usize, parts: usize, least: usize) -> Vec<Range<usize>> {
        even_parts(images, parts, least).collect()
    }

    #[test]
    fn every_image_is_in_one_part_and_sizes_differ_by_one() {
        for images in 0..40 {
            for count in 0..9 {
                for least in 0..4 {
                    let parts = parts(images, count, least);
                    assert!(parts.len() <= count);
                    assert_eq!(parts.is_empty(), images == 0 || count == 0);
                    let mut next = 0;
                    for part in &parts {
                        assert_eq!(part.start, next);
                        next = part.end;
                    }
                    assert!(parts.is_empty() || next == images);
                    let sizes = || parts.iter().map(Range::len);
                    let (Some(most), Some(fewest)) = (sizes().max(), sizes().min()) else {
                        continue;
                    };
                    assert!(most - fewest <= 1, "{parts:?}");
                    assert!(fewest >= 1 && (fewest >= least || parts.len() == 1));
                    assert!(sizes().is_sorted_by(|a, b| a >= b));
                }
            }
        }
    }

    #[test]
    fn as_many_parts_as_devices_where_there_are_enough_images() {
        assert_eq!(parts(10, 3, 2), [0..4, 4..7, 7..10]);
        assert_eq!(parts(5, 3, 2), [0..3, 3..5]);
        assert_eq!(parts(3, 8, 1), [0..1, 1..2, 2..3]);
        assert_eq!(parts(1, 4, 2).len(), 1);
    }
}
