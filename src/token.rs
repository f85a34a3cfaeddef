//! The token that a server of devices and its clients share.

use std::env;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// The environment variable that has the token where no file is given.
pub const VARIABLE: &str = "XCEPTION_TOKEN";

/// Returns the token of a file, or else of the environment variable, without the white space around it.
///
/// # Errors
///
/// If the file can't be read, or there is no token in it or in the variable that is set.
pub fn token(file: Option<&Path>) -> Result<Option<String>> {
    let (text, source) = match file {
        Some(path) => {
            let text = fs::read_to_string(path);
            let text =
                text.with_context(|| format!("can't read the token in {}", path.display()))?;
            (text, path.display().to_string())
        }
        None => match env::var(VARIABLE) {
            Ok(text) => (text, VARIABLE.to_owned()),
            Err(env::VarError::NotPresent) => return Ok(None),
            Err(error) => bail!("{VARIABLE}: {error}"),
        },
    };
    match text.trim() {
        "" => bail!("{source} has no token: it is empty"),
        token => Ok(Some(token.to_owned())),
    }
}
