//! A weights file, on the disk or in memory.

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use xception_files::open_regular;

/// A weights file: one on the disk, by its path, or one in memory, such as a web page has, by its bytes and a name.
#[derive(Clone)]
pub struct WeightsFile {
    path: PathBuf,
    content: Option<Content>,
}

/// The bytes of a file in memory.
#[derive(Clone)]
pub(crate) struct Content(Arc<Vec<u8>>);

impl AsRef<[u8]> for Content {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl WeightsFile {
    /// Names a file on the disk.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            content: None,
        }
    }

    /// Makes a file of its bytes, and the name that messages have for it.
    pub fn in_memory(name: impl Into<PathBuf>, bytes: Vec<u8>) -> Self {
        Self {
            path: name.into(),
            content: Some(Content(Arc::new(bytes))),
        }
    }

    /// Returns the file's path, or its name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the bytes of a file in memory.
    pub(crate) fn content(&self) -> Option<&Content> {
        self.content.as_ref()
    }

    /// Opens the file at its start.
    pub(crate) fn open(&self) -> io::Result<Reader> {
        Ok(match &self.content {
            Some(content) => Reader::Memory(Cursor::new(content.clone())),
            None => Reader::Disk(open_regular(&self.path)?),
        })
    }
}

impl fmt::Debug for WeightsFile {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let content = self.content.as_ref();
        formatter
            .debug_struct("WeightsFile")
            .field("path", &self.path)
            .field("bytes", &content.map(|content| content.0.len()))
            .finish()
    }
}

impl From<&Path> for WeightsFile {
    fn from(path: &Path) -> Self {
        Self::at(path)
    }
}

impl From<&PathBuf> for WeightsFile {
    fn from(path: &PathBuf) -> Self {
        Self::at(path)
    }
}

impl From<&Self> for WeightsFile {
    fn from(file: &Self) -> Self {
        file.clone()
    }
}

/// An open weights file.
pub(crate) enum Reader {
    Disk(File),
    Memory(Cursor<Content>),
}

impl Reader {
    /// Returns the number of bytes in the file.
    pub(crate) fn length(&self) -> io::Result<u64> {
        Ok(match self {
            Self::Disk(file) => file.metadata()?.len(),
            Self::Memory(cursor) => cursor.get_ref().0.len() as u64,
        })
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Disk(file) => file.read(buffer),
            Self::Memory(cursor) => cursor.read(buffer),
        }
    }
}

impl Seek for Reader {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        match self {
            Self::Disk(file) => file.seek(position),
            Self::Memory(cursor) => cursor.seek(position),
        }
    }
}
