//! The frame header: the image's size, its components and how they are sampled.

use super::error::JpegError;

/// The edge of a block, in samples.
pub(super) const BLOCK: usize = 8;

/// The frame: all components of the image.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) progressive: bool,
    /// Rows and columns of pixels.
    pub(super) size: [usize; 2],
    pub(super) components: Vec<Component>,
    /// The largest sampling factors, down and to the right.
    pub(super) largest: [usize; 2],
    /// Rows and columns of the units that interleaved scans consist of.
    pub(super) units: [usize; 2],
}

/// One component, such as luminance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Component {
    pub(super) id: u8,
    /// Samples for the largest factors' number of pixels, down and to the right. In an interleaved
    /// scan a unit has as many blocks.
    pub(super) sampling: [usize; 2],
    /// The quantization table's index.
    pub(super) table: usize,
    /// Rows and columns of blocks in a scan of this component alone.
    pub(super) blocks: [usize; 2],
    /// Rows and columns of blocks in an interleaved scan, which has whole units.
    pub(super) padded: [usize; 2],
}

impl Frame {
    /// Reads the header that follows this marker, of those that start a frame.
    pub(super) fn parse(marker: u8, body: &[u8], position: usize) -> Result<Self, JpegError> {
        let damaged = |what| JpegError::Damaged { what, position };
        let kind = match marker {
            0xc0..=0xc2 => None,
            0xc3 | 0xc7 | 0xcb | 0xcf => Some("lossless"),
            0xc5 | 0xc6 | 0xcd | 0xce => Some("hierarchical"),
            _ => Some("arithmetically coded"),
        };
        if let Some(kind) = kind {
            return Err(JpegError::Unsupported(format!("{kind} JPEG")));
        }
        let (&[precision, h0, h1, w0, w1, count], specifications) =
            body.split_first_chunk::<6>()
                .ok_or_else(|| damaged("the frame header is too short"))?;
        let size = [[h0, h1], [w0, w1]].map(|side| usize::from(u16::from_be_bytes(side)));
        if precision != 8 {
            let what = format!("JPEG of {precision} bits a sample instead of 8");
            return Err(JpegError::Unsupported(what));
        }
        if size[0] == 0 {
            let what = "JPEG without a height in its header".to_owned();
            return Err(JpegError::Unsupported(what));
        }
        if size[1] == 0 {
            return Err(damaged("the frame header declares a width of 0"));
        }
        if !matches!(count, 1 | 3 | 4) {
            let what = format!("JPEG of {count} components instead of 1, 3 or 4");
            return Err(JpegError::Unsupported(what));
        }
        let (specifications, _) = specifications.as_chunks::<3>();
        let specifications = specifications
            .get(..usize::from(count))
            .ok_or_else(|| damaged("the frame header is too short"))?;
        let mut factors = Vec::new();
        for &[id, sampling, table] in specifications {
            let sampling = [sampling & 15, sampling >> 4].map(usize::from);
            if sampling.iter().any(|factor| !(1..=4).contains(factor)) {
                return Err(damaged("a component has an impossible sampling factor"));
            }
            if table > 3 {
                return Err(damaged("a component has an impossible quantization table"));
            }
            factors.push((id, sampling, usize::from(table)));
        }
        let largest = [0, 1].map(|axis| {
            let factors = factors.iter().map(|(_, sampling, _)| sampling[axis]);
            factors.max().unwrap_or(1)
        });
        let units = [0, 1].map(|axis| size[axis].div_ceil(BLOCK * largest[axis]));
        let mut components = Vec::new();
        for (id, sampling, table) in factors {
            if (0..2).any(|axis| largest[axis] % sampling[axis] != 0) {
                let what = format!(
                    "JPEG whose color has {} samples for {} pixels",
                    sampling[0] * sampling[1],
                    largest[0] * largest[1],
                );
                return Err(JpegError::Unsupported(what));
            }
            let samples = [0, 1].map(|axis| (size[axis] * sampling[axis]).div_ceil(largest[axis]));
            components.push(Component {
                id,
                sampling,
                table,
                blocks: samples.map(|side| side.div_ceil(BLOCK)),
                padded: [0, 1].map(|axis| units[axis] * sampling[axis]),
            });
        }
        Ok(Self {
            progressive: marker == 0xc2,
            size,
            components,
            largest,
            units,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_from_the_sampling() {
        let header = [8, 0, 17, 0, 33, 3, 1, 0x22, 0, 2, 0x21, 1, 3, 0x11, 1];
        let frame = Frame::parse(0xc2, &header, 0).unwrap();
        assert!(frame.progressive);
        assert_eq!(
            (frame.size, frame.largest, frame.units),
            ([17, 33], [2, 2], [2, 3])
        );
        let sizes = frame.components.iter().map(|c| (c.blocks, c.padded));
        let sizes: Vec<_> = sizes.collect();
        assert_eq!(
            sizes,
            [([3, 5], [4, 6]), ([2, 5], [2, 6]), ([2, 3], [2, 3]),]
        );
    }

    #[test]
    fn other_headers_are_errors() {
        let header = |precision, height, count, sampling, table| {
            Frame::parse(
                0xc0,
                &[precision, 0, height, 0, 9, count, 1, sampling, table],
                7,
            )
        };
        assert!(header(8, 9, 1, 0x11, 0).is_ok());
        for (frame, message) in [
            (header(12, 9, 1, 0x11, 0), "12 bits a sample"),
            (header(8, 0, 1, 0x11, 0), "without a height"),
            (header(8, 9, 2, 0x11, 0), "2 components"),
            (header(8, 9, 3, 0x11, 0), "too short"),
            (header(8, 9, 1, 0x01, 0), "sampling factor near byte 7"),
            (header(8, 9, 1, 0x51, 0), "sampling factor near byte 7"),
            (header(8, 9, 1, 0x11, 4), "impossible quantization table"),
            (Frame::parse(0xc9, &[], 0), "arithmetically coded"),
            (Frame::parse(0xc3, &[], 0), "lossless"),
            (Frame::parse(0xc5, &[], 0), "hierarchical"),
            (
                Frame::parse(
                    0xc0,
                    &[8, 0, 9, 0, 9, 3, 1, 0x31, 0, 2, 0x21, 0, 3, 0x11, 0],
                    0,
                ),
                "2 samples for 3 pixels",
            ),
        ] {
            let error = frame.unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
