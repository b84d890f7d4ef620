//! Parses a job once, so that everything behind it can rely on what it says.

use crate::{
    Error, Job, Limits, Project, Result, Stdin, Want, environment::Definition, job::Containers, needs::Script,
    project::relative,
};

/// Holds a job whose parts were checked, with the script that it runs.
///
/// # Examples
///
/// ```
/// use pyexec::Job;
///
/// assert!(Job::code("print(1)").resolve().is_ok());
/// assert!(Job::code("print(1)").entrypoint("other.py").resolve().is_err());
/// ```
#[derive(Debug)]
pub struct ResolvedJob {
    pub(crate) project: Project,
    /// A path in the project. Commands that run before it may be what makes it.
    pub(crate) script: String,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) stdin: Stdin,
    pub(crate) limits: Limits,
    pub(crate) want: Want,
    pub(crate) collect_files: bool,
    pub(crate) containers: Containers,
}

impl ResolvedJob {
    /// Checks a job, and finds its script.
    ///
    /// # Errors
    ///
    /// [`InvalidJob`](crate::ErrorKind::InvalidJob) when no executor can run it; the message says what to mend.
    pub fn new(job: Job) -> Result<ResolvedJob> {
        let Job { project, entrypoint, args, env, stdin, limits, want, collect_files, workspace, containers } = job;
        if workspace.is_some() {
            return Err(Error::invalid("a job in a workspace is planned or run by Pyexec, which has its files"));
        }
        check(&args, &env, &want)?;
        project.fits(&limits)?;
        let script = script(&project, entrypoint.as_deref(), !containers.pre_commands.is_empty())?;
        Ok(ResolvedJob { project, script, args, env, stdin, limits, want, collect_files, containers })
    }

    /// Adds the requirements and the version of Python of the environment that the job names.
    ///
    /// # Errors
    ///
    /// When it is for another version of Python than the job asks for.
    pub(crate) fn with_environment(mut self, definition: Definition) -> Result<ResolvedJob> {
        let Definition { requirements, python, preload } = definition;
        let containers = &mut self.containers;
        if let (Some(asked), Some(defined)) = (containers.python, python)
            && asked != defined
        {
            return Err(Error::invalid(format!(
                "environment: it is for Python {defined}, and the job asks for {asked}: leave one of them out"
            )));
        }
        containers.python = containers.python.or(python);
        containers.preload = preload;
        if containers.requirements.is_empty() {
            containers.requirements = requirements;
        } else {
            let lines = requirements.to_string();
            containers.requirements = containers.requirements.and(&lines.lines().collect::<Vec<_>>())?;
        }
        Ok(self)
    }

    /// Adds what the metadata in its script says and the job does not.
    ///
    /// # Errors
    ///
    /// When the dependencies that it names are not acceptable.
    pub(crate) fn with_metadata(mut self, script: &Script) -> Result<ResolvedJob> {
        self.containers.fill_in(&script.container);
        self.containers.requirements = self.containers.requirements.and(&script.dependencies)?;
        Ok(self)
    }

    /// Returns whether the variables of the job move where Python looks for modules.
    pub(crate) fn has_python_path(&self) -> bool {
        self.env.iter().any(|(name, _)| name == "PYTHONPATH")
    }

    /// Returns whether its script is there, and not yet to be made by commands.
    pub(crate) fn has_script(&self) -> bool {
        self.project.locate(&self.script).is_some()
    }

    /// Copies the job, with nothing on its standard input.
    pub(crate) fn without_stdin(&self) -> ResolvedJob {
        ResolvedJob {
            project: self.project.clone(),
            script: self.script.clone(),
            args: self.args.clone(),
            env: self.env.clone(),
            stdin: Stdin::Empty,
            limits: self.limits,
            want: self.want.clone(),
            collect_files: self.collect_files,
            containers: self.containers.clone(),
        }
    }
}

impl TryFrom<Job> for ResolvedJob {
    type Error = Error;

    fn try_from(job: Job) -> Result<ResolvedJob> {
        ResolvedJob::new(job)
    }
}

/// Refuses what no executor can run.
fn check(args: &[String], env: &[(String, String)], want: &Want) -> Result<()> {
    for text in args.iter().chain(env.iter().flat_map(|(name, value)| [name, value])) {
        if text.contains('\0') {
            return Err(Error::invalid("arguments and environment variables cannot contain NUL"));
        }
    }
    for (name, _) in env {
        if name.is_empty() || name.contains('=') {
            return Err(Error::invalid(format!("{name:?} is not a name for an environment variable")));
        }
    }
    match want {
        Want::Call { arguments, .. } if !arguments.is_arguments() => {
            Err(Error::invalid("arguments of the entry function must be a JSON array or object"))
        }
        _ => Ok(()),
    }
}

/// Finds the script to run, which commands may make before it runs.
fn script(project: &Project, asked: Option<&str>, is_made: bool) -> Result<String> {
    match (project.entrypoint(asked), asked) {
        (Err(_), Some(asked)) if is_made => relative(asked.strip_prefix("/work/").unwrap_or(asked)),
        (Err(_), None) if is_made => Ok("main.py".to_owned()),
        (found, _) => found,
    }
}
