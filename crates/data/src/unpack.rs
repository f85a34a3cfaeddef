//! Unpacking an archive of which only certain files are wanted, trusting nothing in it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;
use tar::EntryType;

use crate::{Archive, DataError, Member};

/// The bytes allowed for what isn't a wanted file: headers, padding, a readme.
const OTHER_BYTES: u64 = 1 << 20;

/// Unpacks the members of `archive` from `path` into the archive's folder inside `dir`.
///
/// Files are written to a temporary folder inside `dir` and renamed into place once all are there with their sizes. Only
/// the members' own names are ever used as file names. Other files are passed over; a link, a device, a path that climbs
/// out of the archive, or an archive that unpacks to more than its members is an error.
pub(crate) fn unpack(archive: &Archive, path: &Path, dir: &Path) -> Result<PathBuf, DataError> {
    let write_error = |path: &Path| {
        let path = path.to_path_buf();
        |source| DataError::Write { path, source }
    };
    let temporary = tempfile::Builder::new()
        .prefix(".unpack-")
        .tempdir_in(dir)
        .map_err(write_error(dir))?;
    unpack_members(archive, path, temporary.path())?;

    let folder = dir.join(&archive.folder);
    fs::create_dir_all(&folder).map_err(write_error(&folder))?;
    for member in &archive.members {
        let target = folder.join(&member.name);
        xception_files::rename(&temporary.path().join(&member.name), &target)
            .map_err(write_error(&target))?;
    }
    Ok(folder)
}

fn unpack_members(archive: &Archive, path: &Path, into: &Path) -> Result<(), DataError> {
    let unpack_error = |source| DataError::Unpack {
        path: path.to_path_buf(),
        source,
    };
    let file = File::open(path).map_err(|source| DataError::Read {
        path: path.to_path_buf(),
        source,
    })?;
    let most = archive
        .members
        .iter()
        .map(|member| member.size.most())
        .sum::<u64>()
        + OTHER_BYTES;
    let mut tar = tar::Archive::new(GzDecoder::new(BufReader::new(file)).take(most));
    for entry in tar.entries().map_err(unpack_error)? {
        let mut entry = entry.map_err(unpack_error)?;
        let name = entry.path().map_err(unpack_error)?.into_owned();
        let refuse = |problem: String| DataError::Entry {
            path: path.to_path_buf(),
            entry: name.display().to_string(),
            problem,
        };

        let parts = plain_parts(&name).ok_or_else(|| refuse("leads out of the folder".into()))?;
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {}
            EntryType::Directory | EntryType::XGlobalHeader => continue,
            other => {
                return Err(refuse(format!(
                    "is neither a file nor a folder ({other:?})"
                )));
            }
        }
        let Some(member) = wanted(archive, &parts) else {
            continue;
        };
        if !member.size.allows(entry.size()) {
            return Err(refuse(format!(
                "has {} bytes, expected {}",
                entry.size(),
                member.size
            )));
        }
        let target = into.join(&member.name);
        let mut file = match OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&target)
        {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(refuse("is there twice".into()));
            }
            opened => opened.map_err(|source| DataError::Write {
                path: target.clone(),
                source,
            })?,
        };
        copy(&mut entry, &mut file).map_err(|error| match error {
            CopyError::Read(source) => unpack_error(source),
            CopyError::Write(source) => DataError::Write {
                path: target,
                source,
            },
        })?;
    }
    match archive
        .members
        .iter()
        .find(|member| !into.join(&member.name).exists())
    {
        Some(missing) => {
            let member = format!("{}/{}", archive.folder, missing.name);
            Err(DataError::MissingMember {
                path: path.to_path_buf(),
                member,
            })
        }
        None => Ok(()),
    }
}

/// Returns the names that a path is made of; `None` where it is absolute or climbs.
fn plain_parts(path: &Path) -> Option<Vec<&str>> {
    path.components()
        .filter(|part| *part != Component::CurDir)
        .map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect()
}

/// Returns the member at `folder/name`.
fn wanted<'a>(archive: &'a Archive, parts: &[&str]) -> Option<&'a Member> {
    match parts {
        [folder, name] if *folder == archive.folder => {
            archive.members.iter().find(|member| member.name == *name)
        }
        _ => None,
    }
}

enum CopyError {
    Read(io::Error),
    Write(io::Error),
}

/// As `io::copy`, but tells a damaged archive from a full disk.
fn copy(from: &mut impl Read, to: &mut impl io::Write) -> Result<(), CopyError> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => to.write_all(&buffer[..count]).map_err(CopyError::Write)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(CopyError::Read(error)),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Size;
    use flate2::{Compression, write::GzEncoder};
    use tempfile::tempdir;

    /// An entry of a made-up archive: path, type and content.
    type Entry<'a> = (&'a str, EntryType, &'a [u8]);

    /// What [`archive`] describes.
    pub(crate) const GOOD: &[Entry] = &[
        ("box/", EntryType::Directory, b""),
        ("./box/readme.html", EntryType::Regular, b"not wanted"),
        ("box/a.bin", EntryType::Regular, b"12345"),
        ("box/b.txt", EntryType::Regular, b"names\n"),
    ];

    /// A `.tar.gz` of these entries, with paths as they are.
    pub(crate) fn tar_gz(entries: &[Entry]) -> Vec<u8> {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
        for (name, kind, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            tar.append(&header, *content).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    /// The description of an archive with the files of [`GOOD`].
    pub(crate) fn archive(bytes: u64, sha256: String) -> Archive {
        Archive {
            name: "box".into(),
            url: "http://home.invalid/box.tar.gz".into(),
            bytes,
            sha256,
            folder: "box".into(),
            members: vec![
                Member {
                    name: "a.bin".into(),
                    size: Size::Exactly(5),
                },
                Member {
                    name: "b.txt".into(),
                    size: Size::UpTo(100),
                },
            ],
        }
    }

    fn unpack_bytes(bytes: &[u8]) -> Result<Vec<String>, DataError> {
        let dir = tempdir().unwrap();
        let path = dir.path().join("box.tar.gz");
        fs::write(&path, bytes).unwrap();
        let result = unpack(&archive(0, String::new()), &path, dir.path());
        let list = |dir: &Path| {
            let mut names: Vec<_> = fs::read_dir(dir)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        match result {
            Ok(folder) => {
                assert_eq!(list(dir.path()), ["box", "box.tar.gz"]);
                assert_eq!(fs::read(folder.join("a.bin")).unwrap(), b"12345");
                Ok(list(&folder))
            }
            Err(error) => {
                assert_eq!(
                    list(dir.path()),
                    ["box.tar.gz"],
                    "nothing may be left behind"
                );
                Err(error)
            }
        }
    }

    #[test]
    fn only_wanted_files_are_unpacked() {
        assert_eq!(unpack_bytes(&tar_gz(GOOD)).unwrap(), ["a.bin", "b.txt"]);
    }

    #[test]
    fn evil_entries_are_refused() {
        let big = vec![0; 2 << 20];
        let evil: [(Entry, &str); 7] = [
            (
                ("../escaped", EntryType::Regular, b"x"),
                "leads out of the folder",
            ),
            (
                ("box/../../escaped", EntryType::Regular, b"x"),
                "leads out of the folder",
            ),
            (
                ("/tmp/escaped", EntryType::Regular, b"x"),
                "leads out of the folder",
            ),
            (
                ("box/link", EntryType::Symlink, b""),
                "is neither a file nor a folder (Symlink)",
            ),
            (
                ("box/link", EntryType::Link, b""),
                "is neither a file nor a folder (Link)",
            ),
            (
                ("box/a.bin", EntryType::Regular, b"12345"),
                "is there twice",
            ),
            (
                ("box/b.txt", EntryType::Regular, &big),
                "has 2097152 bytes, expected 1 to 100",
            ),
        ];
        for (entry, problem) in evil {
            let entries = [&GOOD[..3], &[entry]].concat();
            let error = unpack_bytes(&tar_gz(&entries)).unwrap_err().to_string();
            assert!(
                error.contains(problem),
                "{entry:?}: {error}",
                entry = entry.0
            );
        }
    }

    #[test]
    fn more_than_the_members_is_refused() {
        let big = vec![0; 2 << 20];
        let entries = [&[("box/bomb", EntryType::Regular, &big[..])], GOOD].concat();
        assert!(matches!(
            unpack_bytes(&tar_gz(&entries)),
            Err(DataError::Unpack { .. })
        ));
    }

    #[test]
    fn incomplete_archives_are_refused() {
        let error = unpack_bytes(&tar_gz(&GOOD[..3])).unwrap_err().to_string();
        assert!(error.contains("lacks `box/b.txt`"), "{error}");
        let bytes = tar_gz(GOOD);
        assert!(unpack_bytes(&bytes[..bytes.len() / 2]).is_err());
        assert!(unpack_bytes(b"no archive").is_err());
    }
}
