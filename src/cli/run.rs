//! `pyexec run`

use super::{
    Failure, Result,
    console::note,
    notebook::Notebook,
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
    is_folder: bool,
}

impl Program {
    pub(crate) fn request(self, quiet: bool) -> Result<JobRequest> {
        let files_are_it = self.target.is_none()
            && self.job.files.iter().any(|path| path.extension().is_some_and(|extension| extension == "py"));
        let target = self.target.as_deref().unwrap_or("-");
        let mut stdin = true;
        let Found { project, script, notebook, is_folder } = if files_are_it {
            let script = self.job.script_of_files();
            Found { project: self.job.project_of_files()?, script, notebook: None, is_folder: false }
        } else if target == "-" {
            stdin = false;
            Found {
                project: Project::script(code_from_stdin()?),
                script: Some("main.py".into()),
                notebook: None,
                is_folder: false,
            }
        } else {
            found(Path::new(target), self.job.disk_bytes())?
        };
        let entrypoint = match self.entrypoint.or(script) {
            None => choose(target, &project, is_folder)?,
            known => known,
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
        Ok(request)
    }
}

/// Chooses the script of a project that has no usual one; `None` leaves it to the project.
///
/// Of several it is the one that no other imports, or else the one that asks whether it is the main one. When that is none
/// or more than one, an archive has the first, as ever, and of a folder the user is asked.
fn choose(target: &str, project: &Project, is_folder: bool) -> Result<Option<String>> {
    const NAMED_MAX: usize = 8;
    const COMPARED_MAX: usize = 50;
    let candidates = project.entrypoint_candidates();
    if candidates.len() < 2 {
        return Ok(None);
    }
    let mut sources = Vec::new();
    for path in candidates.iter().take(COMPARED_MAX) {
        sources.push((*path, String::from_utf8_lossy(&project.read(path)?).into_owned()));
    }
    let is_imported = |path: &str| sources.iter().any(|(other, source)| *other != path && imports(source, path));
    let outermost: Vec<_> = sources.iter().filter(|(path, _)| !is_imported(path)).collect();
    let main: Vec<_> = outermost.iter().filter(|(_, source)| source.contains("__name__")).collect();
    match (outermost.as_slice(), main.as_slice()) {
        ([(path, _)], _) | (_, [(path, _)]) if candidates.len() <= COMPARED_MAX => return Ok(Some((*path).to_owned())),
        _ if !is_folder => return Ok(None),
        _ => {}
    }
    let more = candidates.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named: Vec<_> = candidates.into_iter().take(NAMED_MAX).collect();
    Err(Failure::Usage(format!(
        "{target} has no main.py and more than one script: {}{more}\nhint: name the one to run with --entrypoint",
        named.join(", ")
    )))
}

/// Returns whether a source imports the module of a file, as far as its lines tell.
fn imports(source: &str, path: &str) -> bool {
    let module = path.rsplit('/').next().and_then(|name| name.strip_suffix(".py")).unwrap_or(path);
    let is_it = |name: &str| name.split(['.', ' ', '\t', '#', ';']).find(|part| !part.is_empty()) == Some(module);
    source.lines().map(str::trim_start).any(|line| {
        let imported =
            line.strip_prefix("import ").is_some_and(|names| names.split(',').any(|name| is_it(name.trim())));
        imported || line.strip_prefix("from ").is_some_and(|name| is_it(name.trim_start()))
    })
}

/// Finds the project at a path, and its script when it is one.
fn found(path: &Path, bytes_max: u64) -> Result<Found> {
    let fail = |e| Failure::Usage(format!("cannot read {}: {e}", path.display()));
    let metadata = fs::metadata(path).map_err(fail)?;
    if metadata.is_dir() {
        return Ok(Found { project: Project::folder(path)?, script: None, notebook: None, is_folder: true });
    }
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::Usage(format!("{} is not named in UTF-8", path.display())))?;
    let kind = name.to_ascii_lowercase();
    if ARCHIVES.iter().any(|ending| kind.ends_with(ending)) {
        let project = Project::archive_file(File::open(path).map_err(fail)?, bytes_max)?;
        return Ok(Found { project, script: None, notebook: None, is_folder: false });
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
    let project = Project::files([(name.as_str(), content)])?;
    Ok(Found { project, script: Some(name), notebook, is_folder: false })
}

/// Reads code that is piped in, or typed.
pub(crate) fn code_from_stdin() -> Result<Vec<u8>> {
    let mut code = Vec::new();
    std::io::stdin().read_to_end(&mut code).map_err(|e| Failure::Usage(format!("cannot read code from stdin: {e}")))?;
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_the_one_that_no_other_imports() {
        let choose = |files: &[(&'static str, &'static str)], is_folder| {
            let project = Project::files(files.iter().copied()).expect("a project");
            choose("it", &project, is_folder)
        };
        let chosen = |files: &[(&'static str, &'static str)]| choose(files, true).expect("clear");
        assert_eq!(chosen(&[("lib.py", "V = 1"), ("tool.py", "import os, lib as l\n")]).as_deref(), Some("tool.py"));
        assert_eq!(chosen(&[("a.py", "if __name__ == '__main__': pass"), ("b.py", "")]).as_deref(), Some("a.py"));
        let nested = [("x/a.py", "from .b import c\n"), ("x/b.py", ""), ("x/__init__.py", "from . import b\n")];
        assert!(choose(&nested, true).is_err());
        assert_eq!(chosen(&[("main.py", ""), ("b.py", "import main")]), None);
        let unclear = [("a.py", "print(1)"), ("b.py", "print(2)")];
        assert!(choose(&unclear, true).is_err_and(|failure| failure.to_string().contains("a.py, b.py")));
        assert_eq!(choose(&unclear, false).expect("the first"), None);
    }

    #[test]
    fn imports_are_seen_in_lines() {
        for (line, imported) in [
            ("import lib", true),
            ("    from lib.x import y", true),
            ("import os, lib.x as z", true),
            ("from .lib import y", true),
            ("import library", false),
            ("# import lib", false),
            ("x = 'from lib'", false),
        ] {
            assert_eq!(imports(line, "src/lib.py"), imported, "{line}");
        }
    }
}
