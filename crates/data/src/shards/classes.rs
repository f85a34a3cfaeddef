//! The classes of all shards of a data set.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use super::index::ShardIndex;
use super::label::{Class, Occurrence};
use crate::DataError;
use crate::splits::Splits;
use crate::stored::{LabelSets, LabelTable};

/// The most classes where no file has their names.
const MAX_CLASSES: u64 = 1 << 20;
/// The file of class names.
const CLASS_NAMES: &str = "classes.txt";

/// The classes of all shards.
pub(super) struct Classes {
    pub names: Vec<String>,
    have_sets: bool,
}

impl Classes {
    /// Takes the names from the folder's file, or else makes them of the labels: names in their order, or as many numbers as the
    /// greatest index asks for.
    pub(super) fn of(dir: &Path, splits: &Splits<Vec<ShardIndex>>) -> Result<Self, DataError> {
        let shards = || {
            let more = splits.validation.iter().chain([&splits.test]).flatten();
            splits.train.iter().chain(more)
        };
        let have_sets = shards()
            .find_map(|shard| shard.labels.have_sets)
            .unwrap_or(false);
        for shard in shards() {
            if let Some(first) = shard.labels.classes.first()
                && shard.labels.have_sets != Some(have_sets)
            {
                let problem = "samples of this shard have sets of classes and those of others one class, or the other way round";
                return Err(wrong(shard, first, problem.to_owned()));
            }
        }
        let file = dir.join(CLASS_NAMES);
        let names = match file.exists() {
            true => {
                let text = fs::read_to_string(&file);
                let text = text.map_err(|source| DataError::Read { path: file, source })?;
                let names = text.lines().map(|name| name.trim().to_owned());
                names.filter(|name| !name.is_empty()).collect()
            }
            false => names_of(shards())?,
        };
        Ok(Self { names, have_sets })
    }

    /// Returns the labels of the samples of some shards.
    ///
    /// # Errors
    ///
    /// [`DataError::Shard`] where one is none of the classes.
    pub(super) fn labels(&self, shards: &[ShardIndex]) -> Result<LabelTable, DataError> {
        let places: HashMap<&str, u32> = (0..)
            .zip(&self.names)
            .map(|(index, name)| (&**name, index))
            .collect();
        let (mut classes, mut sets) = (Vec::new(), LabelSets::new(self.names.len()));
        for shard in shards {
            let occurring = shard.labels.classes.iter();
            let known = occurring.map(|occurrence| {
                self.place(&places, &occurrence.class)
                    .map_err(|problem| wrong(shard, occurrence, problem))
            });
            let known = known.collect::<Result<Vec<u32>, _>>()?;
            for sample in shard.labels.samples() {
                let of = sample.iter().map(|&class| known[class as usize]);
                match self.have_sets {
                    true => sets.push(of.collect()),
                    false => classes.extend(of),
                }
            }
        }
        Ok(match self.have_sets {
            true => LabelTable::Sets(sets),
            false => LabelTable::Classes(classes),
        })
    }

    /// Returns the index of a class.
    fn place(&self, places: &HashMap<&str, u32>, class: &Class) -> Result<u32, String> {
        let classes = self.names.len();
        match class {
            Class::Index(index) => u32::try_from(*index)
                .ok()
                .filter(|&index| (index as usize) < classes)
                .ok_or_else(|| {
                    format!("it has the class {index}, but there are {classes}, from 0 on")
                }),
            Class::Name(name) => places.get(&**name).copied().ok_or_else(|| {
                format!("it has the class `{name}`, which {CLASS_NAMES} doesn't name")
            }),
        }
    }
}

/// Returns names for the classes that occur.
fn names_of<'a>(shards: impl Iterator<Item = &'a ShardIndex>) -> Result<Vec<String>, DataError> {
    let (mut names, mut count) = (BTreeSet::new(), 0);
    for shard in shards {
        for occurrence in &shard.labels.classes {
            let problem = match &occurrence.class {
                Class::Index(index) if *index >= MAX_CLASSES => format!(
                    "it has the class {index}, but no more than {MAX_CLASSES} classes go without names: name them in \
                     {CLASS_NAMES}"
                ),
                Class::Index(index) if names.is_empty() => {
                    count = count.max(index + 1);
                    continue;
                }
                Class::Name(name) if count == 0 => {
                    names.insert(name.clone());
                    continue;
                }
                _ => format!(
                    "some classes have numbers and some names: name all of them in {CLASS_NAMES}"
                ),
            };
            return Err(wrong(shard, occurrence, problem));
        }
    }
    Ok(match names.is_empty() {
        true => (0..count).map(|index| index.to_string()).collect(),
        false => names.into_iter().collect(),
    })
}

/// Returns an error of the member that a class occurs in first.
fn wrong(shard: &ShardIndex, occurrence: &Occurrence, problem: String) -> DataError {
    DataError::Shard {
        shard: shard.path.clone(),
        member: Some(occurrence.member.clone()),
        offset: occurrence.offset,
        problem,
    }
}
