//! `pyexec eval`

use super::{
    Failure, Result,
    options::{JobOptions, OutputOptions},
    run::code_from_stdin,
    session::{self, Show},
};
use clap::Args;
use pyexec::{Project, Want};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  pyexec eval 'sum(range(10))'\n  echo 'import math; math.pi' | pyexec eval")]
pub(crate) struct Arguments {
    /// Python code, or - for code from stdin
    #[arg(value_name = "CODE")]
    code: Option<String>,

    /// Do not print the value of the last expression
    #[arg(long, help_heading = "Output")]
    no_result: bool,

    /// The Python version wanted
    #[arg(long, value_name = "VERSION", help_heading = "Job")]
    python: Option<String>,

    #[command(flatten)]
    job: JobOptions,

    #[command(flatten)]
    output: OutputOptions,
}

pub(crate) fn run(arguments: Arguments) -> Result<u8> {
    if let Some(version) = &arguments.python
        && !pyexec::PYTHON_VERSION.starts_with(&format!("{version}."))
        && version != pyexec::PYTHON_VERSION
    {
        return Err(Failure::Usage(format!(
            "Python {version} is not available here: this is Python {}\nhint: leave out --python",
            pyexec::PYTHON_VERSION
        )));
    }
    let given = arguments.code.filter(|code| code != "-");
    let from_stdin = given.is_none();
    let code = match given {
        Some(code) => code.into_bytes(),
        None => code_from_stdin()?,
    };
    let mut job = arguments.job.job(Project::script(code))?;
    if !arguments.no_result {
        job = job.want(Want::LastExpression);
    }
    if !from_stdin {
        job = job.stdin(session::stdin());
    }
    session::run(job, &arguments.output, Show::Result, arguments.job.out.as_deref())
}
