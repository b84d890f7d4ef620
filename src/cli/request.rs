//! What the flags ask for: turned into a job for this process, or into a request for a server.

use super::{
    Failure, Result,
    notebook::Cells,
    options::Executor,
    wire::{Config, Eval, EvalFile, Metadata},
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use pyexec::{Job, Limits, Project, Python, Requirements, TierChoice, Want};
use serde_json::Number;
use std::fs;

const MIB: u64 = 1 << 20;
/// More than any machine has.
const MEMORY_BYTES_MAX: u64 = 1 << 40;
/// What `--json` keeps of a stream here, in memory.
const OUTPUT_BYTES_MAX: u64 = 1_000_000_000;
/// The interpreter itself takes that much.
const MEMORY_MIB_MIN: u64 = 64;

/// A job, before it is known where it runs.
#[derive(Debug)]
pub(crate) struct JobRequest {
    pub(crate) project: Project,
    pub(crate) entrypoint: Option<String>,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    /// Whether the script gets this process's standard input.
    pub(crate) stdin: bool,
    pub(crate) want_result: bool,
    /// Locates the cells of the notebook that the script is made of.
    pub(crate) cells: Option<Cells>,
    pub(crate) python: Option<Python>,
    pub(crate) collect_files: bool,
    pub(crate) asked: Asked,
    pub(crate) needs: Needs,
}

/// Limits that were asked for; the others are left to whoever runs the job.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) fuel: Option<u64>,
    pub(crate) memory_mib: Option<u64>,
    pub(crate) disk_mib: Option<u64>,
    pub(crate) output_bytes: Option<u64>,
}

/// Holds what only a container has.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    pub(crate) executor: Executor,
    pub(crate) pre_commands: Vec<String>,
    pub(crate) cpu_shares: Option<u64>,
    pub(crate) image: Option<String>,
    pub(crate) network: bool,
    pub(crate) requirements: Option<String>,
    pub(crate) environment: Option<String>,
}

impl JobRequest {
    pub(crate) fn new(project: Project) -> JobRequest {
        JobRequest {
            project,
            entrypoint: None,
            args: Vec::new(),
            env: Vec::new(),
            stdin: false,
            want_result: false,
            cells: None,
            python: None,
            collect_files: false,
            asked: Asked::default(),
            needs: Needs::default(),
        }
    }

    /// Returns the job for this process, without its standard input.
    pub(crate) fn local(self) -> Result<Job> {
        let mut job =
            Job::project(self.project).args(self.args).limits(self.asked.local()?).collect_files(self.collect_files);
        for (name, value) in self.env {
            job = job.env(name, value);
        }
        if let Some(entrypoint) = self.entrypoint {
            job = job.entrypoint(entrypoint);
        }
        if self.want_result {
            job = job.want(Want::LastExpression);
        }
        if let Some(version) = self.python {
            job = job.python(version);
        }
        self.needs.give(job)
    }

    /// Makes the metadata beside the archive of a project.
    pub(crate) fn metadata(&self, stdin: Option<String>) -> Result<Metadata> {
        Ok(Metadata {
            entrypoint: self.project.entrypoint(self.entrypoint.as_deref())?,
            docker_image: self.needs.image.clone(),
            requirements_txt: self.needs.requirements.clone(),
            environment: self.needs.environment.clone(),
            pre_commands: self.needs.pre_commands.clone(),
            stdin,
            eval_last_expr: self.want_result,
            config: self.config(),
            python_version: self.python_version(),
            executor: self.needs.executor,
            env_vars: self.env_vars(),
            script_args: self.args.clone(),
            collect_files: self.collect_files,
        })
    }

    /// Makes the request to evaluate code.
    pub(crate) fn eval(&self, stdin: Option<String>) -> Result<Eval> {
        let entrypoint = self.project.entrypoint(self.entrypoint.as_deref())?;
        let mut files = Vec::new();
        for name in self.project.paths() {
            let content = String::from_utf8(self.project.read(name)?.into()).map_err(|_| {
                Failure::Usage(format!(
                    "{name} is not UTF-8 text\nhint: a script that is given to pyexec run may have such files"
                ))
            })?;
            files.push(EvalFile { name: name.to_owned(), content: Some(content), content_base64: None });
        }
        let code = if files.len() == 1 { files.pop().and_then(|file| file.content) } else { None };
        Ok(Eval {
            entrypoint: code.is_none().then_some(entrypoint),
            code,
            files,
            stdin,
            eval_last_expr: Some(self.want_result),
            script_args: self.args.clone(),
            collect_files: self.collect_files,
            stream: true,
            ..self.common()
        })
    }

    /// Makes the request for a session.
    pub(crate) fn session(&self) -> Result<Eval> {
        let mut files = Vec::new();
        for name in self.project.paths() {
            let bytes = self.project.read(name)?;
            let (content, content_base64) = match String::from_utf8(bytes.into()) {
                Ok(text) => (Some(text), None),
                Err(error) => (None, Some(BASE64.encode(error.as_bytes()))),
            };
            files.push(EvalFile { name: name.to_owned(), content, content_base64 });
        }
        Ok(Eval { files, ..self.common() })
    }

    /// Makes what evaluations and sessions are asked for alike.
    fn common(&self) -> Eval {
        Eval {
            entrypoint: None,
            code: None,
            files: Vec::new(),
            stdin: None,
            config: self.config(),
            python_version: self.python_version(),
            pre_commands: self.needs.pre_commands.clone(),
            executor: self.needs.executor,
            eval_last_expr: None,
            requirements_txt: self.needs.requirements.clone(),
            environment: self.needs.environment.clone(),
            docker_image: self.needs.image.clone(),
            env_vars: self.env_vars(),
            script_args: Vec::new(),
            network: self.needs.network.then_some(true),
            collect_files: false,
            stream: false,
        }
    }

    fn config(&self) -> Config {
        Config {
            timeout_seconds: self.asked.timeout_ms.and_then(seconds),
            // Clients have always said no to the network by name, and yes by saying nothing.
            network_disabled: (!self.needs.network && self.needs.requirements.is_none()).then_some(true),
            memory_mb: self.asked.memory_mib,
            disk_mb: self.asked.disk_mib,
            cpu_shares: self.needs.cpu_shares,
            cpu_fuel: self.asked.fuel,
            max_output_bytes: self.asked.output_bytes,
        }
    }

    fn python_version(&self) -> Option<String> {
        self.python.map(|version| version.to_string())
    }

    fn env_vars(&self) -> Vec<String> {
        self.env.iter().map(|(name, value)| format!("{name}={value}")).collect()
    }
}

/// Returns a whole number where it is one, as old servers take no other.
fn seconds(milliseconds: u64) -> Option<Number> {
    if milliseconds.is_multiple_of(1000) {
        return Some(Number::from(milliseconds / 1000));
    }
    Number::from_f64(milliseconds as f64 / 1000.0)
}

impl Asked {
    fn local(&self) -> Result<Limits> {
        let (usual, most) = (Limits::default(), Limits::MAXIMA);
        let mib = |flag: &str, asked: Option<u64>, usual: u64, most: u64| match asked {
            None => Ok(usual),
            Some(asked) if asked <= most / MIB => Ok(asked * MIB),
            Some(asked) => Err(Failure::Usage(format!("{flag} {asked}: at most {} here", most / MIB))),
        };
        if let Some(few) = self.memory_mib.filter(|mib| *mib < MEMORY_MIB_MIN) {
            return Err(Failure::Usage(format!(
                "--memory: {few} MiB are too little; the interpreter needs {MEMORY_MIB_MIN} MiB or more\nhint: a number \
                 without a unit is in MiB, as 1.5G is in GiB"
            )));
        }
        if let (Some(asked), Some(most)) = (self.memory_mib, machine_memory_mib())
            && asked > most
        {
            return Err(Failure::Usage(format!("--memory: {asked} MiB are more than the {most} MiB of this machine")));
        }
        let wall_clock_ms = self.timeout_ms.unwrap_or(usual.wall_clock_ms);
        if wall_clock_ms > most.wall_clock_ms {
            return Err(Failure::Usage(format!("--timeout: at most {} seconds here", most.wall_clock_ms / 1000)));
        }
        Ok(Limits {
            wall_clock_ms,
            cpu_fuel: self.fuel,
            // More than WebAssembly can have takes a container.
            memory_bytes: mib("--memory", self.memory_mib, usual.memory_bytes, MEMORY_BYTES_MAX)?,
            disk_bytes: mib("--disk", self.disk_mib, usual.disk_bytes, most.disk_bytes)?,
            output_bytes: self.output_bytes.unwrap_or(usual.output_bytes).min(OUTPUT_BYTES_MAX),
            ..usual
        })
    }
}

/// Returns the memory of this machine, where that is known.
fn machine_memory_mib() -> Option<u64> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    let total = info.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    total.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib >> 10)
}

impl Needs {
    /// Returns the job with these needs.
    fn give(self, mut job: Job) -> Result<Job> {
        if let Some(image) = self.image {
            job = job.image(image);
        }
        if let Some(id) = self.environment {
            job = job.environment(id);
        }
        match self.requirements.as_deref() {
            None => {}
            Some(text) => {
                let requirements =
                    Requirements::parse(text).map_err(|e| Failure::Usage(format!("--requirements: {e}")))?;
                job = job.requirements(requirements);
            }
        }
        if let Some(shares) = self.cpu_shares {
            job = job.cpu_shares(u32::try_from(shares).unwrap_or(u32::MAX));
        }
        let tier = match self.executor {
            Executor::Auto => TierChoice::Auto,
            Executor::Wasm => TierChoice::Wasm,
            Executor::Docker => TierChoice::Docker,
        };
        Ok(job.network(self.network).pre_commands(self.pre_commands).tier(tier))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request() -> JobRequest {
        JobRequest::new(Project::script("1"))
    }

    fn sent(request: &JobRequest) -> serde_json::Value {
        serde_json::to_value(request.metadata(None).expect("valid")).expect("JSON")
    }

    #[test]
    fn a_plain_job_sends_only_what_was_asked() {
        let expected = json!({"entrypoint": "main.py", "config": {"network_disabled": true}});
        assert_eq!(sent(&request()), expected);
        let eval = serde_json::to_value(request().eval(None).expect("valid")).expect("JSON");
        assert_eq!(
            eval,
            json!({"code": "1", "config": {"network_disabled": true}, "eval_last_expr": false, "stream": true})
        );
    }

    #[test]
    fn every_flag_is_passed_on() {
        let mut request = request();
        request.env = vec![("A".into(), "b=c".into())];
        request.args = vec!["-x".into()];
        request.collect_files = true;
        request.asked = Asked {
            timeout_ms: Some(1500),
            fuel: Some(9),
            memory_mib: Some(64),
            disk_mib: Some(8000),
            output_bytes: Some(5000),
        };
        request.python = Some("3.12".parse().expect("known"));
        request.needs = Needs {
            executor: Executor::Docker,
            pre_commands: vec!["apt-get update".into()],
            cpu_shares: Some(512),
            image: Some("python:3.12".into()),
            network: true,
            requirements: Some("numpy".into()),
            environment: Some("1f".into()),
        };
        let expected = json!({
            "entrypoint": "main.py", "docker_image": "python:3.12", "requirements_txt": "numpy", "stdin": "typed",
            "environment": "1f",
            "pre_commands": ["apt-get update"], "python_version": "3.12", "executor": "docker",
            "config": {"timeout_seconds": 1.5, "memory_mb": 64, "disk_mb": 8000, "cpu_shares": 512, "cpu_fuel": 9,
                "max_output_bytes": 5000},
            "env_vars": ["A=b=c"], "script_args": ["-x"], "collect_files": true,
        });
        let metadata = request.metadata(Some("typed".into())).expect("valid");
        assert_eq!(serde_json::to_value(metadata).expect("JSON"), expected);
        assert_eq!(serde_json::to_value(request.eval(None).expect("valid")).expect("JSON")["network"], true);
    }

    #[test]
    fn requirements_alone_leave_the_network_unsaid() {
        let mut request = request();
        request.needs.requirements = Some("numpy".into());
        assert_eq!(sent(&request)["config"], json!({}));
    }

    #[test]
    fn files_of_an_eval_are_sent_with_its_code() {
        let project = Project::script("import a").with_file("a.py", "").expect("added");
        let eval = serde_json::to_value(JobRequest::new(project).eval(None).expect("valid")).expect("JSON");
        assert_eq!(eval["files"], json!([{"name": "a.py", "content": ""}, {"name": "main.py", "content": "import a"}]));
        assert_eq!((&eval["entrypoint"], &eval["code"]), (&json!("main.py"), &json!(null)));
    }

    #[test]
    fn limits_above_what_this_process_gives_are_refused_here_only() {
        for asked in [
            Asked { disk_mib: Some(u64::MAX), ..Asked::default() },
            Asked { timeout_ms: Some(3_600_001), ..Asked::default() },
        ] {
            let request = JobRequest { asked, ..request() };
            sent(&request);
            assert!(matches!(request.local(), Err(Failure::Usage(_))));
        }
    }
}
