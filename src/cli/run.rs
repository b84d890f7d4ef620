//! `pyexec run`

use super::{
    Failure, Result,
    console::note,
    notebook::{Cells, Notebook},
    options::{JobOptions, OutOption, OutputOptions, ServerOptions},
    remote::{self, View},
    request::JobRequest,
    session::{self, Show},
    submit,
};
use clap::Args;
use pyexec::Project;
use std::{
    fs::{self, File},
    io::Read,
    mem,
    path::Path,
};

/// Endings of the names of archives.
const ARCHIVES: [&str; 9] = [".tar", ".tar.gz", ".tgz", ".zip", ".pyz", ".tar.bz2", ".tar.xz", ".tar.zst", ".7z"];

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  pyexec run script.py -- --its-own-flag\n  pyexec run project/ --entrypoint app/cli.py\n  \
                        echo 'print(1)' | pyexec run -\n  pyexec run project/ --server http://localhost:8080\n\nThe \
                        script's folder is /work. A script runs alone: name a folder to run it with its modules. An \
                        archive is .tar, .tar.gz, .tgz, .zip or .pyz. The cells of a notebook run in order, and the value \
                        of its last expression is printed. On a server, stdin is read to its end before the script starts."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    program: Program,

    #[command(flatten)]
    out: OutOption,

    /// Only start it, as submit does
    #[arg(long = "async", help_heading = "Server", conflicts_with_all = ["out", "json"])]
    only_start: bool,

    #[command(flatten)]
    server: ServerOptions,

    #[command(flatten)]
    output: OutputOptions,
}

/// What to run, and how.
#[derive(Debug, Args)]
pub(crate) struct Program {
    /// A .py file, a folder, an archive, a notebook, or - for code from stdin
    #[arg(value_name = "FILE|DIR|ARCHIVE|-")]
    target: Option<String>,

    /// The script to run, as a path in the project [default: main.py, __main__.py, or the one that no other imports]
    #[arg(long, value_name = "PATH", help_heading = "Job")]
    entrypoint: Option<String>,

    #[command(flatten)]
    job: JobOptions,

    /// Arguments for the script
    #[arg(last = true, value_name = "ARGS")]
    args: Vec<String>,
}

pub(crate) fn run(arguments: Arguments) -> Result<u8> {
    let Arguments { program, out, only_start, server, output } = arguments;
    if only_start {
        return submit::start(server.named_or_usual(output.quiet)?, program.request(output.quiet)?, output.verbose);
    }
    let out = out.checked()?;
    let server = server.named(output.quiet)?;
    let mut request = program.request(output.quiet)?;
    let show = if request.want_result { Show::Result } else { Show::Output };
    match server {
        Some(client) => {
            request.collect_files = out.is_some();
            remote::run(client, request, View { output, show, out })
        }
        None => session::run(request, output, show, out.as_deref()),
    }
}

/// Holds what a path leads to.
struct Found {
    project: Project,
    /// The script, when the path is one.
    script: Option<String>,
    notebook: Option<Notebook>,
}

impl Program {
    pub(crate) fn request(self, quiet: bool) -> Result<JobRequest> {
        let files_are_it = self.target.is_none()
            && self.job.files.iter().any(|path| path.extension().is_some_and(|extension| extension == "py"));
        let target = self.target.as_deref().unwrap_or("-");
        let mut stdin = true;
        let Found { project, script, notebook } = if files_are_it {
            let script = self.job.script_of_files();
            Found { project: self.job.project_of_files()?, script, notebook: None }
        } else if target == "-" {
            stdin = false;
            Found { project: Project::script(code_from_stdin()?), script: Some("main.py".into()), notebook: None }
        } else {
            found(Path::new(target), self.job.disk_bytes())?
        };
        let entrypoint = match self.entrypoint.or(script) {
            // Of a folder or an archive it is known here, or asked for.
            None if project.entrypoint_candidates().len() > 1 => Some(project.entrypoint(None)?),
            Some(asked) => {
                project.entrypoint(Some(&asked))?;
                Some(asked)
            }
            None => None,
        };
        let remarks = notebook.iter().flat_map(|notebook| &notebook.remarks);
        for remark in project.notes().iter().chain(remarks).filter(|_| !quiet) {
            note!("pyexec: {remark}");
        }
        let mut request = self.job.request(project)?;
        request.entrypoint = entrypoint;
        request.args = self.args;
        request.stdin = stdin;
        request.want_result |= notebook.is_some();
        if let (Some(notebook), Some(script)) = (notebook, &request.entrypoint) {
            let name = Path::new(target).file_name().and_then(|name| name.to_str()).unwrap_or(target);
            request.cells = Some(Cells::new(name, script, notebook.cells));
        }
        Ok(request)
    }
}

/// Finds the project at a path, and its script when it is one.
fn found(path: &Path, bytes_max: u64) -> Result<Found> {
    let fail = |e| Failure::Usage(format!("cannot read {}: {e}", path.display()));
    let metadata = fs::metadata(path).map_err(fail)?;
    if metadata.is_dir() {
        return Ok(Found { project: Project::folder(path)?, script: None, notebook: None });
    }
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::Usage(format!("{} is not named in UTF-8", path.display())))?;
    let kind = name.to_ascii_lowercase();
    if ARCHIVES.iter().any(|ending| kind.ends_with(ending)) {
        let project = Project::archive_file(File::open(path).map_err(fail)?, bytes_max)?;
        return Ok(Found { project, script: None, notebook: None });
    }
    let mut content = fs::read(path).map_err(fail)?;
    let mut name = name.to_owned();
    let notebook = kind.ends_with(".ipynb").then(|| Notebook::parse(&content)).transpose();
    let mut notebook =
        notebook.map_err(|why| Failure::Usage(format!("{} is not a notebook: {why}", path.display())))?;
    if let Some(notebook) = &mut notebook {
        content = mem::take(&mut notebook.script).into_bytes();
        name = format!("{}.py", name.strip_suffix(".ipynb").unwrap_or("notebook"));
    }
    if let Some(what) = not_python(&name, &content) {
        return Err(Failure::Usage(format!(
            "{} is {what}, not Python\nhint: name a .py file, a folder, a notebook or an archive; --file gives a script \
             other files",
            path.display()
        )));
    }
    let project = Project::files([(name.as_str(), content)])?;
    Ok(Found { project, script: Some(name), notebook })
}

/// Reads code that is piped in, or typed.
pub(crate) fn code_from_stdin() -> Result<Vec<u8>> {
    let mut code = Vec::new();
    std::io::stdin().read_to_end(&mut code).map_err(|e| Failure::Usage(format!("cannot read code from stdin: {e}")))?;
    Ok(code)
}

/// Returns what a file is that is evidently no Python code: by its first bytes, by its name, or as no text.
fn not_python(name: &str, content: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 10] = [
        (b"PK\x03\x04", "a zip archive"),
        (b"\x1f\x8b", "packed with gzip"),
        (b"BZh", "packed with bzip2"),
        (b"\xfd7zXZ", "packed with xz"),
        (b"\x28\xb5\x2f\xfd", "packed with zstd"),
        (b"7z\xbc\xaf", "a 7-Zip archive"),
        (b"Rar!", "a RAR archive"),
        (b"\x7fELF", "a program for a machine"),
        (b"\x89PNG", "an image"),
        (b"%PDF", "a PDF document"),
    ];
    const NAMES: [(&str, &str); 9] = [
        (".md", "Markdown"),
        (".markdown", "Markdown"),
        (".rst", "reStructuredText"),
        (".html", "HTML"),
        (".json", "JSON"),
        (".toml", "TOML"),
        (".yaml", "YAML"),
        (".yml", "YAML"),
        (".csv", "a table"),
    ];
    let by_magic = MAGIC.iter().find(|(start, _)| content.starts_with(start)).map(|(_, what)| *what);
    let name = name.to_ascii_lowercase();
    let by_name = || NAMES.iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, what)| *what);
    by_magic.or_else(by_name).or_else(|| content.contains(&0).then_some("binary")).or_else(|| {
        let start = content.splitn(3, |&byte| byte == b'\n').take(2);
        let names_coding =
            start.into_iter().any(|line| line.starts_with(b"#") && line.windows(6).any(|w| w == b"coding"));
        (!names_coding && str::from_utf8(content).is_err()).then_some("text that is not UTF-8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_evidently_no_python_is_told_by_its_bytes_and_name() {
        for (name, content, what) in [
            ("x.rar", &b"Rar!\x1a"[..], "a RAR archive"),
            ("README.md", b"# Title", "Markdown"),
            ("a.py", b"x = 1\0", "binary"),
            ("a.py", b"x = '\xe4'", "text that is not UTF-8"),
        ] {
            assert_eq!(not_python(name, content), Some(what), "{name}");
        }
        for (name, content) in [
            ("a", &b"#!/usr/bin/python3\n1"[..]),
            ("a.txt", b"print(1)"),
            ("a.py", b"# -*- coding: latin-1 -*-\nx = '\xe4'"),
            ("a.py", b"\xef\xbb\xbfx = 1"),
            ("a.py", b""),
        ] {
            assert_eq!(not_python(name, content), None, "{name}");
        }
    }
}
