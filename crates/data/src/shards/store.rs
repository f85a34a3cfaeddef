//! The images of shards, by their place.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use xception_files::name_text;

use super::index::{BLOCK, ShardIndex};
use super::open_files::{OpenFiles, read_at};
use crate::DataError;

/// The most shards of a split that stay open.
const OPEN_SHARDS: usize = 32;

/// The shards of a table of images: 8 bytes of memory for each image.
#[derive(Debug)]
pub(crate) struct Shards {
    paths: Vec<PathBuf>,
    /// The number of images up to the end of each shard.
    ends: Vec<u32>,
    /// The block of its shard at which each image begins.
    blocks: Vec<u32>,
    /// The bytes of each image.
    lens: Vec<u32>,
    digest: [u8; 32],
    open: OpenFiles,
    /// The samples of the buffer that an epoch's order is drawn through.
    pub shuffle_buffer: usize,
}

impl Shards {
    pub(super) fn new(root: &Path, indices: &[ShardIndex], shuffle_buffer: usize) -> Self {
        let mut shards = Self {
            paths: Vec::new(),
            ends: Vec::new(),
            blocks: Vec::new(),
            lens: Vec::new(),
            digest: [0; 32],
            open: OpenFiles::new(OPEN_SHARDS),
            shuffle_buffer,
        };
        let mut digest = Sha256::new();
        for index in indices {
            shards.paths.push(index.path.clone());
            shards.blocks.extend(&index.blocks);
            shards.lens.extend(&index.lens);
            shards.ends.push(shards.lens.len() as u32);
            let inner = index.path.strip_prefix(root).unwrap_or(&index.path);
            digest.update(inner.as_os_str().as_encoded_bytes());
            digest.update([0]);
            digest.update(index.digest);
        }
        shards.digest = digest.finalize().into();
        shards
    }

    /// Returns the number of images.
    pub(crate) fn len(&self) -> usize {
        self.lens.len()
    }

    /// Returns the SHA-256 of the names of all shards, and of the names and sizes of their members.
    pub(crate) fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Returns how many of the places, which are rising, are in each shard.
    pub(crate) fn lens_of(&self, places: impl Iterator<Item = usize>) -> Vec<u32> {
        let mut lens = vec![0; self.paths.len()];
        let mut shard = 0;
        for place in places {
            while self.ends[shard] as usize <= place {
                shard += 1;
            }
            lens[shard] += 1;
        }
        lens
    }

    fn shard(&self, place: usize) -> usize {
        self.ends.partition_point(|&end| end as usize <= place)
    }

    fn offset(&self, place: usize) -> u64 {
        u64::from(self.blocks[place]) * BLOCK
    }

    /// Reads a part of an image's shard.
    fn read_part(&self, place: usize, offset: u64, buffer: &mut [u8]) -> std::io::Result<()> {
        let shard = self.shard(place);
        let file = self.open.get(shard, &self.paths[shard])?;
        read_at(&file, buffer, offset)
    }

    /// Returns the member's name, from the header before it: of a very long name, its beginning.
    fn member(&self, place: usize) -> Option<String> {
        let mut header = tar::Header::new_old();
        let before = self.offset(place).checked_sub(BLOCK)?;
        self.read_part(place, before, header.as_mut_bytes()).ok()?;
        Some(String::from_utf8_lossy(&header.path_bytes()).into_owned())
    }

    /// Returns an image's shard, member and offset as text.
    pub(crate) fn name(&self, place: usize) -> String {
        let shard = name_text(self.paths[self.shard(place)].as_os_str());
        let member = self.member(place).unwrap_or_else(|| "?".to_owned());
        format!("{shard}, member {member} at byte {}", self.offset(place))
    }

    /// Reads an image, of which at most `limit` bytes.
    pub(crate) fn read(&self, place: usize, limit: u64) -> Result<Vec<u8>, DataError> {
        let len = u64::from(self.lens[place]).min(limit);
        let mut bytes = vec![0; len as usize];
        let offset = self.offset(place);
        match self.read_part(place, offset, &mut bytes) {
            Ok(()) => Ok(bytes),
            Err(error) => Err(DataError::Shard {
                shard: self.paths[self.shard(place)].clone(),
                member: self.member(place),
                offset,
                problem: format!("{len} bytes can't be read: {error}"),
            }),
        }
    }
}
