//! Changes to good files, at random.

/// Numbers that look random (xorshift), the same in every run that starts with the same seed.
pub struct Random(pub u64);

impl Random {
    /// A number below this one.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

/// Changes a few bytes, mostly near the start or the end, where formats keep their structure; or cuts
/// a piece out, doubles one, or moves one.
pub fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    const NUMBERS: [u64; 6] = [0, 1, u64::MAX, 1 << 31, 1 << 62, u32::MAX as u64];
    for _ in 0..1 + random.below(8) {
        let length = bytes.len();
        if length < 16 {
            return;
        }
        let place = match random.below(4) {
            0 => random.below(length.min(2048)),
            1 => length - 1 - random.below(length.min(2048)),
            _ => random.below(length),
        };
        match random.below(6) {
            0 | 1 => bytes[place] ^= 1 << random.below(8),
            2 => bytes[place] = random.below(256) as u8,
            3 => {
                let number = NUMBERS[random.below(NUMBERS.len())].to_le_bytes();
                let size = [1, 2, 4, 8][random.below(4)];
                for (byte, new) in bytes[place..].iter_mut().zip(&number[..size]) {
                    *byte = *new;
                }
            }
            4 => {
                let end = (place + random.below(64)).min(length);
                bytes.drain(place..end);
            }
            _ => {
                let end = (place + random.below(256)).min(length);
                let piece = bytes[place..end].to_vec();
                let target = random.below(length);
                for (byte, new) in bytes[target..].iter_mut().zip(piece) {
                    *byte = new;
                }
            }
        }
    }
}
