//! Where the reports of a scan go: what is asked for, and writing it to standard output or whole to files.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::Error;
use crate::cli;
use crate::report::{FORMATS, Report, Style};

/// What to write and where. A file takes one output, and so does standard output, where only lines of a log may share it.
pub(super) fn plan(arguments: &cli::Scan) -> Result<Vec<cli::Output>, Error> {
    if arguments.format.is_empty() {
        return Ok(vec![cli::Output { format: "text".into(), file: None }]);
    }
    // One file has many names: `x`, `./x`, `folder/../x`. So has standard output, of which a second opening would know nothing
    // of what is written to the first.
    let mut outputs = arguments.format.clone();
    let mut places = Vec::with_capacity(outputs.len());
    for output in &mut outputs {
        let place = output.file.as_deref().map(place).transpose()?;
        let place = place.filter(|place| !is_standard_output(place));
        if place.is_none() {
            output.file = None;
        }
        places.push(place);
    }
    let is_log = |output: &cli::Output| output.file.is_none() && ["text", "github"].contains(&output.format.as_str());
    for (index, output) in outputs.iter().enumerate() {
        let mut before = outputs[..index].iter().zip(&places);
        let taken = before.find(|(other, place)| **place == places[index] && !(is_log(other) && is_log(output)));
        if let Some((other, _)) = taken {
            let place = output.file.as_ref().map_or("standard output".into(), |file| file.display().to_string());
            let message = format!("{} and {} would both be written to {place}", other.format, output.format);
            let help = Some(format!("give one a file of its own: --format {}=FILE", output.format));
            return Err(Error::Usage { message, help });
        }
    }
    Ok(outputs)
}

/// Whether a file, by its real folder, is what this process writes its standard output to.
fn is_standard_output(file: &Path) -> bool {
    let is_open_file = || {
        let folder = file.parent();
        ["/dev/fd", "/proc/self/fd", "/proc/thread-self/fd"]
            .iter()
            .any(|name| folder.is_some() && Path::new(name).canonicalize().ok().as_deref() == folder)
    };
    file == Path::new("/dev/stdout") || (file.file_name().is_some_and(|name| name == "1") && is_open_file())
}

/// The real path of a file that is to be written, as far as it is there. A link in place of the file is replaced, not followed.
fn place(file: &Path) -> Result<PathBuf, Error> {
    let failed = |error: io::Error| Error::File { path: file.display().to_string(), error };
    let full = std::path::absolute(file).map_err(failed)?;
    let folder = full.parent().map(|folder| folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf()));
    Ok(match (folder, full.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => full,
    })
}

/// Writes all outputs of what was judged below `root`. One place that can't be written to does not keep the report from the others.
pub(super) fn write(
    report: &Report<'_>,
    outputs: &[cli::Output],
    arguments: &cli::Scan,
    root: &Path,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut failed = None;
    for output in outputs {
        match write_one(report, output, arguments, root, out) {
            Ok(()) => {}
            // Whoever reads has seen enough; the verdict stands, for a pipeline that asks for it.
            Err(error) if error.is_broken_pipe() => {}
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Writes one output: to standard output, or whole to a file beside which it was prepared.
fn write_one(
    report: &Report<'_>,
    output: &cli::Output,
    arguments: &cli::Scan,
    root: &Path,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let format = FORMATS.iter().find(|format| format.name == output.format);
    let format =
        format.ok_or_else(|| Error::Usage { message: format!("unknown format {}", output.format), help: None })?;
    let terminal = output.file.is_none() && io::stdout().is_terminal();
    let color = match arguments.color {
        cli::Color::Always => output.file.is_none(),
        cli::Color::Never => false,
        cli::Color::Auto => {
            let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
            terminal && !is_dumb && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        }
    };
    let width = width(terminal);
    let style = Style {
        color,
        width,
        show_suppressed: arguments.show_suppressed,
        show_old: arguments.show_old,
        quiet: arguments.quiet,
    };
    let Some(path) = &output.file else {
        let mut writer = BufWriter::with_capacity(1 << 16, out);
        (format.write)(report, style, &mut writer)?;
        writer.flush()?;
        return Ok(());
    };
    let failed = |error: io::Error| Error::File { path: path.display().to_string(), error };
    let mut bytes = Vec::new();
    (format.write)(report, style, &mut bytes).map_err(failed)?;
    // Job summaries are appended to by every step; all other files are written whole or not at all.
    if format.name == "markdown"
        && std::env::var_os("GITHUB_STEP_SUMMARY").is_some_and(|summary| Path::new(&summary) == path)
    {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).map_err(failed)?;
        return file.write_all(&bytes).map_err(failed);
    }
    replace(path, &bytes, root)
}

/// Writes a file whole or not at all, behind no link that leads out of the repository or folder `root` that is judged.
pub(super) fn replace(path: &Path, bytes: &[u8], root: &Path) -> Result<(), Error> {
    crate::write::replace(path, bytes, root).map_err(|error| Error::File { path: path.display().to_string(), error })
}

/// Columns to fill: what whoever calls says, else those of the terminal; 0 where nobody knows.
fn width(is_terminal: bool) -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let size = || terminal_size::terminal_size().filter(|_| is_terminal).map(|(width, _)| usize::from(width.0));
    columns.or_else(size).map_or(0, |columns| columns.clamp(40, 160))
}
