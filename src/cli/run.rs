//! `pyexec run`

use super::{
    Failure, Result,
    options::{JobOptions, OutputOptions},
    session::{self, Show},
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
                        echo 'print(1)' | pyexec run -\n\nThe script's folder is /work. A script runs alone: name a folder \
                        to run it with its modules."
)]
pub(crate) struct Arguments {
    /// A .py file, a folder, a .tar archive, or - for code from stdin
    #[arg(value_name = "FILE|DIR|ARCHIVE.tar|-")]
    target: Option<String>,

    /// The script to run, as a path in the project [default: main.py, __main__.py, or the first .py file]
    #[arg(long, value_name = "PATH", help_heading = "Job")]
    entrypoint: Option<String>,

    #[command(flatten)]
    job: JobOptions,

    #[command(flatten)]
    output: OutputOptions,

    /// Arguments for the script
    #[arg(last = true, value_name = "ARGS")]
    args: Vec<String>,
}

pub(crate) fn run(arguments: Arguments) -> Result<u8> {
    let target = arguments.target.as_deref().unwrap_or("-");
    let mut entrypoint = arguments.entrypoint;
    let project = if target == "-" {
        Project::script(code_from_stdin()?)
    } else {
        let (project, script) = project(Path::new(target))?;
        entrypoint = entrypoint.or(script);
        project
    };
    let mut job = arguments.job.job(project)?.args(arguments.args);
    if let Some(entrypoint) = entrypoint {
        job = job.entrypoint(entrypoint);
    }
    if target != "-" {
        job = job.stdin(session::stdin());
    }
    session::run(job, &arguments.output, Show::Output, arguments.job.out.as_deref())
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
