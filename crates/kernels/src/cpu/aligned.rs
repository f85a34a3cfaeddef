//! Memory that starts at a cache line, so that no vector of it crosses one.

/// Elements of a cache line.
pub(super) const LINE: usize = 16;

/// Values that start at a cache line.
#[derive(Debug)]
pub(super) struct Aligned {
    buffer: Vec<f32>,
    /// The element of the buffer at the start of its first whole cache line.
    start: usize,
}

impl Aligned {
    /// Returns zeros, `length` of them.
    pub(super) fn zeros(length: usize) -> Self {
        let buffer = vec![0.0f32; length + LINE - 1];
        let start = buffer.as_ptr().align_offset(LINE * size_of::<f32>());
        Self {
            buffer,
            // Alignment is for speed alone, so nothing else has to be done where there is none.
            start: start.min(LINE - 1),
        }
    }

    /// Returns the number of values.
    pub(super) fn length(&self) -> usize {
        self.buffer.len() - (LINE - 1)
    }

    /// Returns the values.
    pub(super) fn as_slice(&self) -> &[f32] {
        &self.buffer[self.start..][..self.length()]
    }

    /// Returns the values, to be changed.
    pub(super) fn as_mut_slice(&mut self) -> &mut [f32] {
        let length = self.length();
        &mut self.buffer[self.start..][..length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_start_at_a_cache_line_and_are_zero() {
        for length in [0, 1, 15, 16, 1000] {
            let values = Aligned::zeros(length);
            assert_eq!(values.as_slice(), vec![0.0; length]);
            assert_eq!(values.as_slice().as_ptr().addr() % 64, 0);
        }
    }
}
