//! `pyexec run`

use super::{
    Failure, Result,
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
    path::Path,
};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  pyexec run script.py -- --its-own-flag\n  pyexec run project/ --entrypoint app/cli.py\n  \
                        echo 'print(1)' | pyexec run -\n  pyexec run project/ --server http://localhost:8080\n\nThe \
                        script's folder is /work. A script runs alone: name a folder to run it with its modules. On a \
                        server, stdin is read to its end before the script starts."
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
    /// A .py file, a folder, a .tar archive, or - for code from stdin
    #[arg(value_name = "FILE|DIR|ARCHIVE.tar|-")]
    target: Option<String>,

    /// The script to run, as a path in the project [default: main.py, __main__.py, or the first .py file]
    #[arg(long, value_name = "PATH", help_heading = "Job")]
    entrypoint: Option<String>,

    #[command(flatten)]
    job: JobOptions,

    /// Arguments for the script
    #[arg(last = true, value_name = "ARGS")]
    args: Vec<String>,
}

pub(crate) fn run(arguments: Arguments) -> Result<u8> {
    let Arguments { program, out: OutOption { out }, only_start, server, output } = arguments;
    if only_start {
        return submit::start(server.named_or_usual(output.quiet)?, program.request()?, output.verbose);
    }
    let server = server.named(output.quiet)?;
    let mut request = program.request()?;
    request.collect_files = out.is_some();
    match server {
        Some(client) => remote::run(client, request, View { output, show: Show::Output, out }),
        None => session::run(request.local()?, output, Show::Output, out.as_deref()),
    }
}

impl Program {
    pub(crate) fn request(self) -> Result<JobRequest> {
        let files_are_it = self.target.is_none()
            && self.job.files.iter().any(|path| path.extension().is_some_and(|extension| extension == "py"));
        let target = self.target.as_deref().unwrap_or("-");
        let mut entrypoint = self.entrypoint;
        let mut stdin = true;
        let project = if files_are_it {
            self.job.project_of_files()?
        } else if target == "-" {
            stdin = false;
            Project::script(code_from_stdin()?)
        } else {
            let (project, script) = project(Path::new(target))?;
            entrypoint = entrypoint.or(script);
            project
        };
        let mut request = self.job.request(project)?;
        request.entrypoint = entrypoint;
        request.args = self.args;
        request.stdin = stdin;
        Ok(request)
    }
}

/// The project at a path, and its script when it is one.
fn project(path: &Path) -> Result<(Project, Option<String>)> {
    let fail = |e| Failure::Usage(format!("cannot read {}: {e}", path.display()));
    let metadata = fs::metadata(path).map_err(fail)?;
    if metadata.is_dir() {
        return Ok((Project::folder(path)?, None));
    }
    if path.extension().is_some_and(|extension| extension == "tar") {
        return Ok((Project::tar_file(File::open(path).map_err(fail)?)?, None));
    }
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::Usage(format!("{} is not named in UTF-8", path.display())))?;
    let project = Project::files([(name, fs::read(path).map_err(fail)?)])?;
    Ok((project, Some(name.to_owned())))
}

/// Code that is piped in, or typed.
pub(crate) fn code_from_stdin() -> Result<Vec<u8>> {
    let mut code = Vec::new();
    std::io::stdin().read_to_end(&mut code).map_err(|e| Failure::Usage(format!("cannot read code from stdin: {e}")))?;
    Ok(code)
}
