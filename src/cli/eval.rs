//! `pyexec eval`

use super::{
    Result,
    options::{JobOptions, OutOption, OutputOptions, ServerOptions, UnusedFlags},
    remote::{self, View},
    run::code_from_stdin,
    session::{self, Show},
};
use clap::Args;
use pyexec::Project;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  pyexec eval 'sum(range(10))'\n  echo 'import math; math.pi' | pyexec eval")]
pub(crate) struct Arguments {
    /// Python code, or - for code from stdin
    #[arg(value_name = "CODE")]
    code: Option<String>,

    /// Do not print the value of the last expression
    #[arg(long, help_heading = "Output")]
    no_result: bool,

    #[command(flatten)]
    job: JobOptions,

    #[command(flatten)]
    out: OutOption,

    #[command(flatten)]
    server: ServerOptions,

    #[command(flatten)]
    output: OutputOptions,

    #[command(flatten)]
    _unused: UnusedFlags,
}

pub(crate) fn run(arguments: Arguments) -> Result<u8> {
    let Arguments { code, no_result, job, out, server, output, _unused: _ } = arguments;
    let out = out.checked()?;
    let server = server.named(output.quiet)?;
    let given = code.filter(|code| code != "-");
    let from_stdin = given.is_none();
    let code = match given {
        Some(code) => code.into_bytes(),
        None => code_from_stdin()?,
    };
    let mut request = job.request(Project::script(code))?;
    request.entrypoint = Some("main.py".to_owned());
    request.want_result = !no_result;
    request.stdin = !from_stdin;
    match server {
        Some(client) => {
            request.collect_files = out.is_some();
            remote::eval(client, request, View { output, show: Show::Result, out })
        }
        None => session::run(request, output, Show::Result, out.as_deref()),
    }
}
