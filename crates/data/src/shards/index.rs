//! Where the samples of a shard are, from its headers alone.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tar::{Archive, Entry};
use xception_files::open_regular;
use xception_images::is_image;
use xception_messages::with_causes;

use super::label::{Label, Labels};
use crate::DataError;

/// The unit of a tar file: all members begin at a multiple of it.
pub(super) const BLOCK: u64 = 512;
/// The most bytes of a member with a label.
const LABEL_BYTES: u64 = 1 << 20;

/// What is known of a shard without its images.
pub(super) struct ShardIndex {
    pub path: PathBuf,
    /// The block at which each sample's image begins.
    pub blocks: Vec<u32>,
    /// The bytes of each sample's image.
    pub lens: Vec<u32>,
    pub labels: Labels,
    /// Of the names and the sizes of all members, and the contents of those with labels.
    pub digest: [u8; 32],
}

/// A member of a shard.
struct Member {
    name: String,
    /// Where its content begins, in bytes.
    offset: u64,
    bytes: u64,
}

/// The members that share a name but for its endings.
#[derive(Default)]
struct Sample {
    key: String,
    image: Option<Member>,
    class: Option<(Member, Vec<u8>)>,
    json: Option<(Member, Vec<u8>)>,
}

impl ShardIndex {
    /// Goes through the headers of a shard, and reads its labels.
    ///
    /// # Errors
    ///
    /// [`DataError::Shard`] where it is cut off or damaged, or a sample lacks its image or its label, or has a wrong one;
    /// [`DataError::Read`] where it can't be read.
    pub(super) fn read(path: &Path) -> Result<Self, DataError> {
        let failed = |source| DataError::Read {
            path: path.to_owned(),
            source,
        };
        let file = open_regular(path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        let mut index = Self {
            path: path.to_owned(),
            blocks: Vec::new(),
            lens: Vec::new(),
            labels: Labels::default(),
            digest: [0; 32],
        };
        let mut digest = Sha256::new();
        let mut sample = Sample::default();
        let mut end = 0;
        let mut archive = Archive::new(file);
        let entries = archive.entries_with_seek().map_err(failed)?;
        for entry in entries {
            let mut entry = entry.map_err(|error| index.damaged(None, end, with_causes(&error)))?;
            let member = Member {
                name: String::from_utf8_lossy(&entry.path_bytes()).into_owned(),
                offset: entry.raw_file_position(),
                bytes: entry.size(),
            };
            end = member.offset.saturating_add(member.bytes);
            if end > bytes {
                let problem = format!(
                    "the shard is cut off: the member has {} bytes, but the file ends after {bytes}",
                    member.bytes
                );
                return Err(index.damaged(Some(&member), member.offset, problem));
            }
            if !entry.header().entry_type().is_file() {
                continue;
            }
            digest.update((member.name.len() as u64).to_le_bytes());
            digest.update(&member.name);
            digest.update(member.bytes.to_le_bytes());
            let Some((key, ending)) = key_and_ending(&member.name) else {
                continue;
            };
            if key != sample.key {
                let done = std::mem::replace(&mut sample, Sample::of(key));
                index.push(done)?;
            }
            let slot = match ending.as_str() {
                "cls" => &mut sample.class,
                "json" => &mut sample.json,
                _ => {
                    index.push_image(&mut sample, member, &ending)?;
                    continue;
                }
            };
            let content = index.label_content(&member, &mut entry)?;
            digest.update(&content);
            *slot = Some((member, content));
        }
        index.push(sample)?;
        // The end is marked by blocks of zeros.
        let marked = end.div_ceil(BLOCK).saturating_add(1).saturating_mul(BLOCK);
        if marked > bytes {
            let problem = format!(
                "the shard is cut off: the file ends after {bytes} bytes, without the mark of its end"
            );
            return Err(index.damaged(None, end, problem));
        }
        index.digest = digest.finalize().into();
        Ok(index)
    }

    /// Returns an error at a place of the shard.
    fn damaged(&self, member: Option<&Member>, offset: u64, problem: String) -> DataError {
        DataError::Shard {
            shard: self.path.clone(),
            member: member.map(|member| member.name.clone()),
            offset,
            problem,
        }
    }

    fn label_content(
        &self,
        member: &Member,
        entry: &mut Entry<'_, File>,
    ) -> Result<Vec<u8>, DataError> {
        if member.bytes > LABEL_BYTES {
            let problem = format!(
                "a label of {} bytes, more than the {LABEL_BYTES} that are read",
                member.bytes
            );
            return Err(self.damaged(Some(member), member.offset, problem));
        }
        let mut content = Vec::with_capacity(member.bytes as usize);
        match entry.read_to_end(&mut content) {
            Ok(_) => Ok(content),
            Err(error) => Err(self.damaged(Some(member), member.offset, with_causes(&error))),
        }
    }

    fn push_image(
        &self,
        sample: &mut Sample,
        member: Member,
        ending: &str,
    ) -> Result<(), DataError> {
        if !is_image(Path::new(&format!("_.{ending}"))) {
            return Ok(());
        }
        if let Some(other) = &sample.image {
            let problem = format!("a second image of the sample, beside `{}`", other.name);
            return Err(self.damaged(Some(&member), member.offset, problem));
        }
        sample.image = Some(member);
        Ok(())
    }

    /// Appends a sample; one with neither an image nor a label is passed over.
    fn push(&mut self, sample: Sample) -> Result<(), DataError> {
        let (member, label) = match (sample.class, sample.json) {
            (Some((member, content)), _) => (Some(member), Label::of_cls(&content)),
            (None, Some((member, content))) => (Some(member), Label::of_json(&content)),
            (None, None) => (None, Err(String::new())),
        };
        let (image, member) = match (sample.image, member) {
            (None, None) => return Ok(()),
            (Some(image), Some(member)) => (image, member),
            (Some(image), None) => {
                let problem = "an image without a `.cls` or `.json` member of the same name after or before it";
                return Err(self.damaged(Some(&image), image.offset, problem.to_owned()));
            }
            (None, Some(member)) => {
                let problem = "a label without an image of the same name after or before it";
                return Err(self.damaged(Some(&member), member.offset, problem.to_owned()));
            }
        };
        let labels = &mut self.labels;
        let pushed = label.and_then(|label| labels.push(&label, &member.name, member.offset));
        pushed.map_err(|problem| self.damaged(Some(&member), member.offset, problem))?;
        let place = u32::try_from(image.offset / BLOCK).ok();
        let (Some(block), Ok(len)) = (place, u32::try_from(image.bytes)) else {
            let problem = "it lies beyond 2 TiB, or has 4 GiB or more".to_owned();
            return Err(self.damaged(Some(&image), image.offset, problem));
        };
        self.blocks.push(block);
        self.lens.push(len);
        Ok(())
    }
}

impl Sample {
    fn of(key: String) -> Self {
        Self {
            key,
            ..Self::default()
        }
    }
}

/// Divides a member's name into what the members of a sample share, and its ending in lower case: at the first dot of its last
/// part, as WebDataset does. `None` for hidden files and WebDataset's own `__NAME__`.
fn key_and_ending(name: &str) -> Option<(String, String)> {
    let file = name.rsplit('/').next().unwrap_or(name);
    if file.starts_with('.') || file.starts_with("__") {
        return None;
    }
    let (stem, ending) = file.split_once('.')?;
    let key = &name[..name.len() - file.len() + stem.len()];
    Some((key.to_owned(), ending.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_divided_at_the_first_dot_of_the_last_part() {
        let divided = |name| key_and_ending(name).map(|(key, ending)| format!("{key} {ending}"));
        assert_eq!(divided("a/b.c/d.JPG").as_deref(), Some("a/b.c/d jpg"));
        assert_eq!(divided("d.seg.png").as_deref(), Some("d seg.png"));
        assert_eq!(divided("a/README"), None);
        assert_eq!(divided("a/._d.jpg"), None);
        assert_eq!(divided("__info__.json"), None);
    }
}
