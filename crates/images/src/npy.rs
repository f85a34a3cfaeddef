//! Writing NumPy's `.npy` files.

use std::io::{Seek, SeekFrom, Write};

use super::PreprocessingError;

/// Bytes before the values: a multiple of 64, as NumPy aligns them, with room for any count of rows.
const HEADER_BYTES: usize = 128;
/// The magic string that a file begins with, and version 1.0.
const MAGIC: &[u8; 8] = b"\x93NUMPY\x01\x00";

/// Writes a matrix of `float32` as `.npy` version 1.0 (NumPy Enhancement Proposal 1), row by row: how
/// many there are needn't be known before.
///
/// Without [`finish`](Self::finish) the file says that it has no rows.
///
/// ```
/// use std::io::Cursor;
/// use xception_images::NpyWriter;
///
/// let mut writer = NpyWriter::new(Cursor::new(Vec::new()), 3)?;
/// writer.write_rows(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?; // two rows
/// let bytes = writer.finish()?.into_inner();
/// assert_eq!(bytes.len(), 128 + 6 * 4);
/// # Ok::<(), xception_images::PreprocessingError>(())
/// ```
#[derive(Debug)]
pub struct NpyWriter<W: Write + Seek> {
    writer: W,
    columns: usize,
    rows: usize,
}

impl<W: Write + Seek> NpyWriter<W> {
    /// Starts a matrix of `columns` columns at the writer's beginning.
    ///
    /// # Errors
    ///
    /// If `columns` is 0 ([`PreprocessingError::OutOfRange`]) or writing fails ([`PreprocessingError::Array`]).
    pub fn new(mut writer: W, columns: usize) -> Result<Self, PreprocessingError> {
        if columns == 0 {
            return Err(PreprocessingError::OutOfRange {
                option: "columns",
                found: "0".to_owned(),
                expected: "at least 1".to_owned(),
            });
        }
        writer
            .write_all(&header(0, columns))
            .map_err(PreprocessingError::Array)?;
        Ok(Self {
            writer,
            columns,
            rows: 0,
        })
    }

    /// Appends rows.
    ///
    /// # Errors
    ///
    /// If the number of values isn't a multiple of the columns ([`PreprocessingError::Length`]), or writing fails
    /// ([`PreprocessingError::Array`]).
    ///
    /// # Shapes
    ///
    /// `[rows, columns]`, the last axis the fastest.
    pub fn write_rows(&mut self, values: &[f32]) -> Result<(), PreprocessingError> {
        if !values.len().is_multiple_of(self.columns) {
            return Err(PreprocessingError::Length {
                what: "the array of rows",
                found: values.len(),
                expected: values.len().next_multiple_of(self.columns),
            });
        }
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.writer
            .write_all(&bytes)
            .map_err(PreprocessingError::Array)?;
        self.rows += values.len() / self.columns;
        Ok(())
    }

    /// Writes the number of rows into the header, and returns the writer.
    ///
    /// # Errors
    ///
    /// If writing fails: [`PreprocessingError::Array`].
    pub fn finish(mut self) -> Result<W, PreprocessingError> {
        let header = header(self.rows, self.columns);
        self.writer
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.writer.write_all(&header))
            .and_then(|()| self.writer.seek(SeekFrom::End(0)))
            .and_then(|_| self.writer.flush())
            .map_err(PreprocessingError::Array)?;
        Ok(self.writer)
    }
}

/// Returns the magic string, the header's length and a Python dictionary, padded with spaces.
fn header(rows: usize, columns: usize) -> Vec<u8> {
    let length = (HEADER_BYTES - MAGIC.len() - 2) as u16;
    let dictionary =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    let mut bytes = MAGIC.to_vec();
    bytes.extend(length.to_le_bytes());
    bytes.extend(dictionary.bytes());
    bytes.resize(HEADER_BYTES - 1, b' ');
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// `numpy.save` of `[[1, -2.5], [3, inf], [0, 1e-3]]` as float32.
    const NUMPY: &[u8] = include_bytes!("../tests/fixtures/matrix.npy");

    #[test]
    fn the_bytes_are_numpys() {
        let mut writer = NpyWriter::new(Cursor::new(Vec::new()), 2).unwrap();
        writer.write_rows(&[1.0, -2.5]).unwrap();
        writer.write_rows(&[3.0, f32::INFINITY, 0.0, 1e-3]).unwrap();
        assert_eq!(writer.finish().unwrap().into_inner(), NUMPY);
    }

    #[test]
    fn incomplete_rows_are_refused() {
        let mut writer = NpyWriter::new(Cursor::new(Vec::new()), 3).unwrap();
        let error = writer.write_rows(&[1.0; 4]).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("has 4 values, but its shape asks for 6"),
            "{error}"
        );
        writer.write_rows(&[]).unwrap();
        let error = NpyWriter::new(Cursor::new(Vec::new()), 0).err().unwrap();
        assert!(error.to_string().contains("`columns` is 0"), "{error}");
    }

    #[test]
    fn any_shape_fits_the_header() {
        assert_eq!(header(usize::MAX, usize::MAX).len(), HEADER_BYTES);
        assert_eq!(header(usize::MAX, usize::MAX)[HEADER_BYTES - 2..], *b" \n");
    }
}
