//! The command line before it is parsed: files of the tree whose names would be taken for options.

use std::ffi::OsString;
use std::path::Path;

use crate::escape::plain;
use crate::run::Error;

/// Refuses `arguments`, those after the name of the program, when one that begins with `-` is the path of something in the working
/// folder. Hooks and the patterns of shells pass the names of files as they are, and a file called `--exit-zero` must not speak
/// for whoever calls gate. Behind `--` everything is a path.
pub fn check(arguments: impl Iterator<Item = OsString>) -> Result<(), Error> {
    let mut before = arguments.take_while(|argument| argument != "--");
    let is_file = |argument: &OsString| {
        let is_option = argument.as_encoded_bytes().starts_with(b"-") && argument != "-";
        is_option && Path::new(argument).symlink_metadata().is_ok()
    };
    let Some(file) = before.find(is_file) else { return Ok(()) };
    Err(Error::Usage {
        message: format!(
            "{} would be taken for an option, and is a file or folder here",
            plain(&file.to_string_lossy())
        ),
        help: Some("put `--` before the files: `gate scan OPTIONS -- FILES`; or rename it".into()),
    })
}
