//! The decoder: from a file's segments to pixels.

use std::ops::Range;

use image::RgbImage;
use pulp::Arch;

use super::bits::BitReader;
use super::blocks::{self, Block};
use super::color::{ColorSpace, Pixels, Rows};
use super::error::JpegError;
use super::frame::Frame;
use super::huffman::HuffmanTable;
use super::scan::{Progress, Scan};
use super::section::{Extent, Section};
use super::segments::Segments;
use super::standard_tables;
use super::transform::BlockRow;
use super::upsample::Plane;

/// The most scans of an image: a few bytes can ask for a pass over all pixels, and encoders write about
/// ten.
const MAX_SCANS: usize = 256;

/// A JPEG file whose headers have been read.
#[derive(Debug)]
pub(in super::super) struct Decoder<'a> {
    segments: Segments<'a>,
    frame: Frame,
    first_scan: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// Reads everything before the image data.
    ///
    /// # Errors
    ///
    /// If the headers are damaged, or of a kind that isn't supported.
    pub(in super::super) fn new(bytes: &'a [u8]) -> Result<Self, JpegError> {
        let mut segments = Segments::new(bytes);
        let scan = segments.next_scan()?;
        match (segments.frame.take(), scan) {
            (Some(frame), Some(first_scan)) => Ok(Self {
                segments,
                frame,
                first_scan,
            }),
            (None, Some(_)) => Err(segments.damaged("a scan comes before the frame header")),
            (_, None) => Err(segments.damaged("there is no image")),
        }
    }

    /// Width and height, in pixels.
    pub(in super::super) fn dimensions(&self) -> (u32, u32) {
        let [height, width] = self.frame.size.map(|side| side as u32);
        (width, height)
    }

    /// The EXIF data, from their TIFF header on.
    pub(in super::super) fn exif(&self) -> Option<&'a [u8]> {
        self.segments.exif
    }

    /// Decodes the image.
    ///
    /// # Errors
    ///
    /// If the image is damaged or not whole.
    pub(in super::super) fn decode(self) -> Result<RgbImage, JpegError> {
        let (width, height) = self.dimensions();
        let section = Section::whole(&self.frame);
        let mut image = RgbImage::new(width, height);
        self.decode_to(&section, Pixels::Interleaved(&mut image))?;
        Ok(image)
    }

    /// Decodes a section of the image to planes of red, green and blue. At full scale these are the pixels that
    /// [`decode`](Self::decode) gives; at a reduced scale those of libjpeg-turbo at that scale, about the means of full
    /// pixels.
    ///
    /// Everything before the image's end is read, so that damage is an error whatever the section.
    ///
    /// # Errors
    ///
    /// If the image is damaged or not whole.
    pub(in super::super) fn decode_section(self, section: &Section) -> Result<Vec<u8>, JpegError> {
        let [height, width] = section.size();
        let mut pixels = vec![0; 3 * height * width];
        self.decode_to(section, Pixels::Planar(&mut pixels))?;
        Ok(pixels)
    }

    fn decode_to(self, section: &Section, pixels: Pixels) -> Result<(), JpegError> {
        let Self {
            mut segments,
            frame,
            first_scan,
        } = self;
        let mut image = Image::new(&frame, section);
        let (mut body, mut scans) = (Some(first_scan), 0);
        while let Some(header) = body {
            scans += 1;
            if scans > MAX_SCANS {
                let what = format!("JPEG of more than {MAX_SCANS} scans");
                return Err(JpegError::Unsupported(what));
            }
            let scan = Scan::parse(header, &frame, segments.position)?;
            let mut reader = BitReader::new(segments.bytes, segments.position);
            image.scan(&segments, &scan, &mut reader)?;
            segments.position = reader.position();
            body = segments.next_scan()?;
            if segments.frame.is_some() {
                return Err(segments.damaged("there is a second frame header"));
            }
        }
        if image
            .components
            .iter()
            .any(|component| component.factors.is_none())
        {
            return Err(segments.damaged("a color component is missing"));
        }
        let space = ColorSpace::of(&frame, segments.jfif, segments.adobe);
        image.write(section, space, pixels);
        Ok(())
    }
}

/// An image that is being decoded.
#[derive(Debug)]
struct Image<'a> {
    frame: &'a Frame,
    arch: Arch,
    components: Vec<Samples>,
}

/// The samples that have been decoded of a component.
#[derive(Debug)]
struct Samples {
    /// The quantization table at its first scan, or `None` before.
    factors: Option<Block>,
    /// The part that is decoded.
    extent: Extent,
    /// Coefficients: of all blocks where scans refine them, otherwise of the extent's blocks in one row of units.
    blocks: Vec<Block>,
    /// Samples of the extent's blocks.
    samples: Vec<u8>,
}

impl<'a> Image<'a> {
    fn new(frame: &'a Frame, section: &Section) -> Self {
        let components = frame.components.iter().map(|component| {
            let extent = Extent::new(frame, component, section);
            let kept = match frame.progressive {
                true => component.padded[0] * component.padded[1],
                false => component.sampling[0] * extent.blocks[1].len(),
            };
            Samples {
                factors: None,
                blocks: vec![[0; 64]; kept],
                samples: vec![0; extent.blocks[0].len() * extent.side * extent.pitch()],
                extent,
            }
        });
        Self {
            frame,
            arch: Arch::new(),
            components: components.collect(),
        }
    }

    /// Decodes a scan.
    fn scan(
        &mut self,
        segments: &Segments,
        scan: &Scan,
        reader: &mut BitReader,
    ) -> Result<(), JpegError> {
        let frame = self.frame;
        for component in &scan.components {
            let table = frame.components[component.index].table;
            let factors = segments.quantization[table]
                .ok_or_else(|| segments.damaged("a quantization table is missing"))?;
            self.components[component.index]
                .factors
                .get_or_insert(factors);
        }
        let tables = Tables::of(segments, scan, frame.progressive)?;
        let (dc, ac) = (&tables.dc, &tables.ac);
        let mut progress = Progress::new(segments.restart_interval);
        for row in 0..scan.rows(frame) {
            let progress = &mut progress;
            if !frame.progressive {
                scan.visit_row(frame, row, progress, reader, |reader, state, index, at| {
                    let (tables, prediction) =
                        ((&dc[index], &ac[index]), &mut state.predictions[index]);
                    match self.sequential_block(scan, index, at) {
                        Some(block) => blocks::sequential(reader, tables, prediction, block),
                        None => blocks::skip(reader, tables, prediction),
                    }
                })?;
                self.finish_row(scan, row);
                continue;
            }
            match (scan.band[0], scan.high) {
                (0, 0) => {
                    scan.visit_row(frame, row, progress, reader, |reader, state, index, at| {
                        let (table, prediction) = (&dc[index], &mut state.predictions[index]);
                        let block = self.block(scan, index, at);
                        blocks::first_dc(reader, table, prediction, scan.low, block)
                    })
                }
                (0, _) => scan.visit_row(frame, row, progress, reader, |reader, _, index, at| {
                    blocks::refine_dc(reader, scan.low, self.block(scan, index, at));
                    Ok(())
                }),
                (_, 0) => {
                    scan.visit_row(frame, row, progress, reader, |reader, state, index, at| {
                        let (table, run) = (&ac[index], &mut state.end_of_band_run);
                        let block = self.block(scan, index, at);
                        blocks::first_ac(reader, table, scan.band, scan.low, run, block)
                    })
                }
                _ => scan.visit_row(frame, row, progress, reader, |reader, state, index, at| {
                    let (table, run) = (&ac[index], &mut state.end_of_band_run);
                    let block = self.block(scan, index, at);
                    blocks::refine_ac(reader, table, scan.band, scan.low, run, block)
                }),
            }?;
        }
        Ok(())
    }

    /// Returns the coefficients of a block of a progressive image: that of the scan's component at this index.
    #[inline(always)]
    fn block(&mut self, scan: &Scan, index: usize, [row, column]: [usize; 2]) -> &mut Block {
        let index = scan.components[index].index;
        let [_, columns] = self.frame.components[index].padded;
        &mut self.components[index].blocks[row * columns + column]
    }

    /// Returns the coefficients of a block of a sequential image if the block is wanted.
    #[inline(always)]
    fn sequential_block(
        &mut self,
        scan: &Scan,
        index: usize,
        at @ [row, column]: [usize; 2],
    ) -> Option<&mut Block> {
        let index = scan.components[index].index;
        let component = &mut self.components[index];
        if !component.extent.has(at) {
            return None;
        }
        let row = row % self.frame.components[index].sampling[0];
        let [_, columns] = &component.extent.blocks;
        component
            .blocks
            .get_mut(row * columns.len() + column - columns.start)
    }

    /// Transforms a row of a sequential scan's units, and makes room for the next one.
    fn finish_row(&mut self, scan: &Scan, unit_row: usize) {
        for component in &scan.components {
            let [unit_rows, _] = self.frame.components[component.index].sampling;
            let rows = match scan.components.len() {
                1 => unit_row..unit_row + 1,
                _ => unit_row * unit_rows..(unit_row + 1) * unit_rows,
            };
            for row in rows {
                let Extent { blocks, .. } = &self.components[component.index].extent;
                if blocks[0].contains(&row) {
                    let columns = blocks[1].len();
                    let kept = row % unit_rows * columns..(row % unit_rows + 1) * columns;
                    self.transform(component.index, row, kept.clone());
                    self.components[component.index].blocks[kept].fill([0; 64]);
                }
            }
        }
    }

    /// Transforms a row of the extent of a component, whose blocks are at `kept` of those that are in memory.
    fn transform(&mut self, component: usize, row: usize, kept: Range<usize>) {
        let component = &mut self.components[component];
        let Extent { blocks, side, .. } = &component.extent;
        let length = component.extent.pitch() * side;
        let factors = blocks::in_rows(component.factors.as_ref().unwrap_or(&[0; 64]));
        self.arch.dispatch(BlockRow {
            blocks: &component.blocks[kept],
            factors: &factors,
            side: *side,
            samples: &mut component.samples[(row - blocks[0].start) * length..][..length],
        });
    }

    /// Transforms what is left, and writes the pixels of the section.
    fn write(mut self, section: &Section, space: ColorSpace, pixels: Pixels) {
        let frame = self.frame;
        if frame.progressive {
            for (index, component) in frame.components.iter().enumerate() {
                let [rows, columns] = self.components[index].extent.blocks.clone();
                for row in rows {
                    let start = row * component.padded[1];
                    self.transform(index, row, start + columns.start..start + columns.end);
                }
            }
        }
        let components = self.components.into_iter();
        let planes = components.map(|decoded| Plane::new(decoded.extent, section, decoded.samples));
        self.arch.dispatch(Rows {
            space,
            planes: planes.collect(),
            first: section.pixels[0].start,
            width: section.pixels[1].len(),
            pixels,
        });
    }
}

/// The Huffman tables of a scan's components: those that the scan needs.
struct Tables {
    dc: Vec<HuffmanTable>,
    ac: Vec<HuffmanTable>,
}

impl Tables {
    /// Returns the file's tables. A sequential file may leave them out and mean the standard's.
    fn of(segments: &Segments, scan: &Scan, progressive: bool) -> Result<Self, JpegError> {
        let find = |tables: &[Option<HuffmanTable>; 4], index: usize, standard: Standard| {
            let table = tables[index].clone();
            let table = table.or_else(|| standard(index).filter(|_| !progressive));
            table.ok_or_else(|| segments.damaged("a Huffman table is missing"))
        };
        let dc = scan
            .components
            .iter()
            .filter(|_| scan.band[0] == 0 && scan.high == 0);
        let ac = scan.components.iter().filter(|_| scan.band[1] > 0);
        Ok(Self {
            dc: dc
                .map(|c| find(&segments.dc, c.dc, standard_tables::dc))
                .collect::<Result<_, _>>()?,
            ac: ac
                .map(|c| find(&segments.ac, c.ac, standard_tables::ac))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// A function that returns the standard table of an index.
type Standard = fn(usize) -> Option<HuffmanTable>;
