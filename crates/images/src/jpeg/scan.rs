//! Scans: the order in which a file sends the blocks of its components.

use super::bits::BitReader;
use super::error::JpegError;
use super::frame::Frame;

/// The header of a scan.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    pub(super) components: Vec<ScanComponent>,
    /// The first and the last coefficient that are sent, in zigzag order.
    pub(super) band: [usize; 2],
    /// The bit that was sent last, or 0 in the first scan of these coefficients.
    pub(super) high: u32,
    /// The lowest bit that is sent.
    pub(super) low: u32,
}

/// A component of a scan.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScanComponent {
    /// The component's index in the frame.
    pub(super) index: usize,
    /// Index of the Huffman table for DC coefficients.
    pub(super) dc: usize,
    /// Index of the Huffman table for AC coefficients.
    pub(super) ac: usize,
}

/// The state that decoding a block depends on besides its bits. Restarts reset it.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The last DC coefficient of each component of the scan.
    pub(super) predictions: [i32; 4],
    /// Blocks to come without further coefficients.
    pub(super) end_of_band_run: u32,
}

/// The position within a scan.
#[derive(Debug)]
pub(super) struct Progress {
    restart_interval: usize,
    /// Units that were begun.
    units: usize,
    state: State,
}

impl Progress {
    /// Creates the start of a scan with a restart marker after every so many units, or none if the number is 0.
    pub(super) fn new(restart_interval: usize) -> Self {
        Self {
            restart_interval,
            units: 0,
            state: State::default(),
        }
    }

    #[inline(always)]
    fn begin_unit(&mut self, reader: &mut BitReader) -> Result<(), JpegError> {
        let (units, interval) = (self.units, self.restart_interval);
        if interval > 0 && units > 0 && units.is_multiple_of(interval) {
            reader.restart(units / interval - 1)?;
            self.state = State::default();
        }
        self.units += 1;
        Ok(())
    }
}

impl Scan {
    /// Reads a scan's header.
    pub(super) fn parse(body: &[u8], frame: &Frame, position: usize) -> Result<Self, JpegError> {
        let damaged = |what| JpegError::Damaged { what, position };
        let too_short = || damaged("a scan header is too short");
        let (&count, rest) = body.split_first().ok_or_else(too_short)?;
        let count = usize::from(count);
        if !(1..=frame.components.len()).contains(&count) {
            return Err(damaged("a scan has an impossible number of components"));
        }
        let specifications = rest.get(..2 * count).ok_or_else(too_short)?;
        let &[start, end, approximation] =
            rest[2 * count..].first_chunk::<3>().ok_or_else(too_short)?;
        let mut components = Vec::<ScanComponent>::new();
        for &[id, tables] in specifications.as_chunks::<2>().0 {
            let unused = |index: &usize| components.iter().all(|other| other.index != *index);
            let index = (0..frame.components.len())
                .find(|index| frame.components[*index].id == id && unused(index))
                .ok_or_else(|| damaged("a scan has a component that the frame lacks"))?;
            let (dc, ac) = (usize::from(tables >> 4), usize::from(tables & 15));
            if dc > 3 || ac > 3 {
                return Err(damaged("a scan has an impossible Huffman table"));
            }
            components.push(ScanComponent { index, dc, ac });
        }
        let band = [start, end].map(usize::from);
        let (high, low) = (u32::from(approximation >> 4), u32::from(approximation & 15));
        if !frame.progressive {
            return Ok(Self {
                components,
                band: [0, 63],
                high: 0,
                low: 0,
            });
        }
        let fits = match band {
            [0, end] => end == 0,
            [start, end] => start <= end && end < 64 && count == 1,
        };
        if !fits || low > 13 || (high != 0 && high != low + 1) {
            return Err(damaged("a scan sends impossible coefficients"));
        }
        Ok(Self {
            components,
            band,
            high,
            low,
        })
    }

    /// Rows of units.
    pub(super) fn rows(&self, frame: &Frame) -> usize {
        match self.components[..] {
            [component] => frame.components[component.index].blocks[0],
            _ => frame.units[0],
        }
    }

    /// Calls `visit` for each block of a row of units, with the index of its component in the scan, and
    /// its row and column, in the order in which the blocks are sent.
    ///
    /// # Errors
    ///
    /// If `visit` fails, the data end too early, or a restart marker is missing.
    #[inline(always)]
    pub(super) fn visit_row(
        &self,
        frame: &Frame,
        unit_row: usize,
        progress: &mut Progress,
        reader: &mut BitReader,
        mut visit: impl FnMut(&mut BitReader, &mut State, usize, [usize; 2]) -> Result<(), JpegError>,
    ) -> Result<(), JpegError> {
        if let [component] = self.components[..] {
            for column in 0..frame.components[component.index].blocks[1] {
                progress.begin_unit(reader)?;
                visit(reader, &mut progress.state, 0, [unit_row, column])?;
                reader.check()?;
            }
            return Ok(());
        }
        for unit_column in 0..frame.units[1] {
            progress.begin_unit(reader)?;
            for (index, component) in self.components.iter().enumerate() {
                let [rows, columns] = frame.components[component.index].sampling;
                for row in unit_row * rows..(unit_row + 1) * rows {
                    for column in unit_column * columns..(unit_column + 1) * columns {
                        visit(reader, &mut progress.state, index, [row, column])?;
                    }
                }
            }
            reader.check()?;
        }
        Ok(())
    }
}
