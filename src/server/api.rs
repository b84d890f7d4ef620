//! The objects of the wire. Clients of older services speak them: nothing may be renamed, and what is added is optional.
//!
//! **Architecture invariant:** these types know JSON and nothing of how a job runs. A face for clients of another service, or of
//! another protocol, is a folder beside them, such as `mcp`: it reads their words, makes a job or a call of a session, and
//! writes what came of it. None knows another, or an executor.

pub(crate) mod code_executor;
pub(crate) mod e2b;
pub(crate) mod main_service;
pub(crate) mod mcp;
pub(crate) mod session_service;
pub(crate) mod sessions;
pub(crate) mod validation;

use super::members::{Members, Text, utf8};
use crate::{
    outcome::{CapabilityMiss, ErrorFrame, JsonText, LimitHit, RichOutput, Tier},
    workspaces::WorkspaceChanges,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{
    ToSchema,
    openapi::schema::{Object, SchemaType, Type},
};

/// The name of an execution.
#[derive(ToSchema)]
#[schema(
    value_type = String,
    pattern = "^exe_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    example = "exe_0b0f5b4c-6f5e-4a37-9a55-1c6f3b8f2a10"
)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct ExecutionId(String);

/// Code to run at once.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(default)]
pub(crate) struct EvalRequest {
    /// Python source, run as `main.py`. Its size is limited by the setting `code_max_bytes`.
    #[schema(example = "print('hello')")]
    pub(crate) code: String,
    /// Files of the project; they win over `code`. Python source among them has the limit of code, all together that of the
    /// setting `files_max_kb`.
    pub(crate) files: Vec<CodeFile>,
    pub(crate) config: Option<Config>,
    /// The rest is common to all ways to run something.
    #[serde(flatten)]
    pub(crate) common: Common,
    /// Answer with server-sent events while the code runs.
    pub(crate) stream: bool,
    /// Functions that `code` may call. When it does, the answer has `tool_calls`, and goes on with `/eval/continue`. It runs as
    /// a session's only call, without arguments, and none of its files come back.
    #[schema(max_items = 128)]
    pub(crate) tools: Vec<sessions::ToolDeclaration>,
}

/// The part `metadata` of an uploaded project.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(default)]
#[schema(example = json!({"entrypoint": "main.py", "script_args": ["--verbose"], "config": {"timeout_seconds": 60}}))]
pub(crate) struct Metadata {
    pub(crate) config: Option<Config>,
    #[serde(flatten)]
    pub(crate) common: Common,
}

/// What every way to run something accepts. Unknown members are ignored and named in `warnings`; one that looks like a slip
/// for a known one is an error.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(default)]
pub(crate) struct Common {
    /// The file to run. Default: `main.py`; without one, the first file of code, or `__main__.py` or the first `.py` file of an
    /// upload.
    pub(crate) entrypoint: String,
    /// Standard input.
    pub(crate) stdin: String,
    /// `3.14` runs in WebAssembly; 3.10 to 3.13 take a container.
    #[schema(pattern = r"^(3\.1[0-4])?$")]
    pub(crate) python_version: String,
    /// Give the value of the last expression back as `result`.
    pub(crate) eval_last_expr: bool,
    /// Packages, one requirement a line; `-` turns their detection off.
    pub(crate) requirements_txt: String,
    /// An environment to run in, by its id; its requirements are added to those given here.
    pub(crate) environment: String,
    /// A workspace to run in, by its id: its files are there beside those given here, which win, and what the code makes,
    /// changes and deletes stays in it.
    #[schema(pattern = "^([A-Za-z0-9_-]{21})?$")]
    pub(crate) workspace: String,
    /// The container image to run in.
    pub(crate) docker_image: String,
    /// Shell commands that prepare the container, as root and with a network.
    #[schema(max_items = 10_000)]
    pub(crate) pre_commands: Vec<String>,
    /// Environment variables.
    #[schema(value_type = Vec<Variable>, max_items = 10_000)]
    pub(crate) env_vars: Vec<String>,
    /// `sys.argv[1:]`
    #[schema(max_items = 10_000)]
    pub(crate) script_args: Vec<String>,
    /// Which tier may run it.
    pub(crate) executor: ExecutorChoice,
    /// Whether it may use the network. An upload with a `config` that does not say `network_disabled` may; what else is not
    /// said is decided by the setting `default_network`.
    pub(crate) network: Option<bool>,
    /// A function of the script to call after it ran; what it returns is the `result`.
    pub(crate) entry_function: Option<EntryFunction>,
    /// Give the files back that it made or changed.
    pub(crate) collect_files: bool,
    /// As in `config`.
    #[schema(minimum = 0)]
    pub(crate) max_output_bytes: Option<f64>,
}

/// `NAME=value`.
#[derive(ToSchema)]
#[schema(value_type = String, example = "LANG=C.UTF-8")]
#[expect(dead_code, reason = "only described")]
pub(crate) struct Variable(String);

/// Text without NUL.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = r"^[^\x00]*$")]
#[expect(dead_code, reason = "only described")]
pub(crate) struct Argument(String);

/// A file of the project.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CodeFile {
    /// Its path in the project: relative, without `..`.
    #[schema(example = "helper.py")]
    pub(crate) name: String,
    /// Text.
    pub(crate) content: Option<String>,
    /// Instead of `content`: bytes.
    #[schema(value_type = Option<String>, content_encoding = "base64")]
    pub(crate) content_base64: Option<Vec<u8>>,
}

/// Name of a function, or name and arguments.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum EntryFunction {
    /// Called without arguments.
    Name(String),
    /// Called with arguments.
    Call {
        name: String,
        /// An array is positional, an object is by keyword.
        #[schema(schema_with = arguments, required = false)]
        arguments: JsonText,
    },
}

/// A wish for a tier.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExecutorChoice {
    /// The fastest that can run it.
    #[default]
    Auto,
    /// WebAssembly or nothing.
    Wasm,
    /// A container or nothing.
    Docker,
}

/// Limits of one execution. 0 or absent is the server's default; above its maximum is the maximum, which `warnings` say and
/// `limits` in the result has.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[serde(default)]
pub(crate) struct Config {
    /// Wall clock, also in fractions. Of calls that wait for the result it includes the time in the queue.
    #[schema(minimum = 0)]
    pub(crate) timeout_seconds: Option<f64>,
    /// No network for the code.
    pub(crate) network_disabled: Option<bool>,
    #[schema(minimum = 0)]
    pub(crate) memory_mb: Option<f64>,
    #[schema(minimum = 0)]
    pub(crate) disk_mb: Option<f64>,
    /// Weight among containers; 1024 is the usual one.
    #[schema(minimum = 0)]
    pub(crate) cpu_shares: Option<f64>,
    /// CPU budget in fuel, of WebAssembly only. The same program uses the same on every machine.
    #[schema(minimum = 0)]
    pub(crate) cpu_fuel: Option<f64>,
    /// Bytes kept of each of stdout and stderr.
    #[schema(minimum = 0)]
    pub(crate) max_output_bytes: Option<f64>,
}

/// Members of [`Config`], which some look for outside of it.
const OF_CONFIG: (&[&str], &str) =
    (&["timeout_seconds", "network_disabled", "memory_mb", "disk_mb", "cpu_shares", "cpu_fuel"], "into \"config\"");

/// Members of requests, which some put into [`Config`].
const OF_REQUESTS: (&[&str], &str) = (
    &[
        "code",
        "files",
        "stdin",
        "entrypoint",
        "python_version",
        "eval_last_expr",
        "requirements_txt",
        "environment",
        "workspace",
        "docker_image",
        "pre_commands",
        "env_vars",
        "script_args",
        "executor",
        "network",
        "entry_function",
        "collect_files",
        "stream",
        "tools",
    ],
    "outside of \"config\"",
);

/// A request, and what is to be said about it.
pub(crate) struct Read<T> {
    pub(crate) request: T,
    pub(crate) warnings: Vec<String>,
}

impl EvalRequest {
    /// Reads one; an error says what is wrong with it.
    pub(crate) fn read(json: &[u8]) -> Result<Read<EvalRequest>, String> {
        let json = utf8(json);
        let mut warnings = Vec::new();
        let mut members = Members::at_start_of(&json, &mut warnings)?;
        let request = EvalRequest {
            code: members.text("code")?,
            files: CodeFile::read_all(&mut members, &mut warnings)?,
            config: Config::read(&mut members, &mut warnings)?,
            common: Common::read(&mut members)?,
            stream: members.take("stream")?,
            tools: members.list("tools")?,
        };
        members.unknown(OF_CONFIG, &mut warnings)?;
        Ok(Read { request, warnings })
    }
}

impl Metadata {
    /// Reads one; an error says what is wrong with it.
    pub(crate) fn read(json: &[u8]) -> Result<Read<Metadata>, String> {
        let json = utf8(json);
        let mut warnings = Vec::new();
        let mut members = Members::at_start_of(&json, &mut warnings)?;
        let request =
            Metadata { config: Config::read(&mut members, &mut warnings)?, common: Common::read(&mut members)? };
        members.unknown(OF_CONFIG, &mut warnings)?;
        Ok(Read { request, warnings })
    }
}

impl Common {
    fn read(members: &mut Members<'_>) -> Result<Common, String> {
        Ok(Common {
            entrypoint: members.text("entrypoint")?,
            stdin: members.text("stdin")?,
            python_version: members.text("python_version")?,
            eval_last_expr: members.take("eval_last_expr")?,
            requirements_txt: members.text("requirements_txt")?,
            environment: members.text("environment")?,
            workspace: members.text("workspace")?,
            docker_image: members.text("docker_image")?,
            pre_commands: members.texts("pre_commands")?,
            env_vars: members.texts("env_vars")?,
            script_args: members.texts("script_args")?,
            executor: members.take("executor")?,
            network: members.take("network")?,
            entry_function: EntryFunction::read(members)?,
            collect_files: members.take("collect_files")?,
            max_output_bytes: members.number("max_output_bytes")?,
        })
    }
}

impl CodeFile {
    fn read_all(members: &mut Members<'_>, warnings: &mut Vec<String>) -> Result<Vec<CodeFile>, String> {
        let mut files = Vec::new();
        for mut file in members.objects("files", "files[].")? {
            let name = file.optional_text("name")?.ok_or("files[].name is missing")?;
            let content = file.optional_text("content")?;
            let encoded: Option<Text<'_>> = file.take("content_base64")?;
            if content.is_some() && encoded.is_some() {
                return Err(format!("files[]: {name:?} has content and content_base64: send one of them"));
            }
            let content_base64 = encoded.map(|Text(text)| STANDARD.decode(&*text)).transpose();
            let content_base64 = content_base64.map_err(|e| format!("files[].content_base64 of {name:?}: {e}"))?;
            file.unknown((&[], ""), warnings)?;
            files.push(CodeFile { name, content, content_base64 });
        }
        Ok(files)
    }

    /// Returns the number of its bytes.
    pub(crate) fn len(&self) -> usize {
        self.content.as_ref().map_or(0, String::len) + self.content_base64.as_ref().map_or(0, Vec::len)
    }

    /// Returns its bytes.
    pub(crate) fn into_bytes(self) -> Bytes {
        self.content_base64.or_else(|| self.content.map(String::into_bytes)).unwrap_or_default().into()
    }
}

impl EntryFunction {
    fn read(members: &mut Members<'_>) -> Result<Option<EntryFunction>, String> {
        const NAME: &str = "entry_function";
        let Some(value) = members.value(NAME).filter(|value| value.get() != "null") else { return Ok(None) };
        if let Ok(Text(name)) = serde_json::from_str(value.get()) {
            return Ok(Some(EntryFunction::Name(name.into_owned())));
        }
        let mut call = Members::of(value.get()).map_err(|e| format!("{NAME}: must be a name, or an object: {e}"))?;
        let name = call.optional_text("name")?.ok_or("entry_function.name is missing")?;
        let arguments = call.value("arguments").map_or("null", |arguments| arguments.get());
        let arguments = JsonText::new(arguments.to_owned()).ok_or("entry_function.arguments are nested too deeply")?;
        Ok(Some(EntryFunction::Call { name, arguments }))
    }
}

impl Config {
    fn read(members: &mut Members<'_>, warnings: &mut Vec<String>) -> Result<Option<Config>, String> {
        let Some(mut members) = members.object("config", "config.")? else { return Ok(None) };
        let config = Config {
            timeout_seconds: members.number("timeout_seconds")?,
            network_disabled: members.take("network_disabled")?,
            memory_mb: members.number("memory_mb")?,
            disk_mb: members.number("disk_mb")?,
            cpu_shares: members.number("cpu_shares")?,
            cpu_fuel: members.number("cpu_fuel")?,
            max_output_bytes: members.number("max_output_bytes")?,
        };
        members.unknown(OF_REQUESTS, warnings)?;
        Ok(Some(config))
    }
}

/// What an execution came to, or how far it is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ExecutionResult {
    #[schema(value_type = ExecutionId)]
    pub(crate) execution_id: String,
    pub(crate) status: Status,
    /// The script's own; of one that could not run that of the command that failed, or 1; 0 when it was stopped by a limit,
    /// 137 when it was killed.
    #[schema(minimum = 0, maximum = 255)]
    pub(crate) exit_code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) duration_ms: u64,
    pub(crate) duration_us: u64,
    /// Why the execution failed. A script that exits with another code than 0 has not failed in this sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// What to do about it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    /// Class of the uncaught exception.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_type: Option<String>,
    /// `str()` of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_message: Option<String>,
    /// Line of the script that it passed through last: of the outermost frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_line: Option<u32>,
    /// Frames of the submitted code in its traceback, the innermost last: the line in which it came up. At most 50.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) error_frames: Vec<ErrorFrame>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_kind: Option<ErrorKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) finished_at: Option<String>,
    /// `repr` of the value that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) result: Option<String>,
    /// The same as JSON, when it is JSON-able, in at most 900 levels.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value)]
    pub(crate) result_json: Option<JsonText>,
    /// The tier that ran it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) executor: Option<Tier>,
    /// What goes on before the script starts, such as an installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) progress: Option<String>,
    /// Why that tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) route_reason: Option<String>,
    pub(crate) usage: Usage,
    pub(crate) stdout_truncated: bool,
    pub(crate) stderr_truncated: bool,
    /// All that was written.
    pub(crate) stdout_bytes: u64,
    /// All that was written.
    pub(crate) stderr_bytes: u64,
    /// Limits that it ran into, whether or not it survived that.
    pub(crate) limits_hit: Vec<LimitHit>,
    /// What it asked for that only a full Linux has.
    pub(crate) capability_misses: Vec<CapabilityMiss>,
    /// Rich results, such as figures.
    pub(crate) outputs: Vec<RichOutput>,
    /// Files it made or changed; only when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) files: Option<Vec<FileLink>>,
    /// `too_large`: files or output are not kept, since all of it is more than the server keeps (`results_mb`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^too_large$")]
    pub(crate) files_dropped: Option<&'static str>,
    /// What became of the workspace that it ran in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) workspace: Option<WorkspaceChanges>,
    /// What it was given, which is less than it asked for where that was above the server's maximum.
    pub(crate) limits: GivenLimits,
    /// What in the request was ignored or changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) warnings: Vec<String>,
}

/// Limits of one execution, in the units of a request.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct GivenLimits {
    #[schema(value_type = f64)]
    pub(crate) timeout_seconds: serde_json::Number,
    #[schema(value_type = f64)]
    pub(crate) memory_mb: serde_json::Number,
    #[schema(value_type = f64)]
    pub(crate) disk_mb: serde_json::Number,
    /// Absent for calls of sessions, whose containers have the usual share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_shares: Option<u32>,
    /// Absent when only the wall clock bounds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_fuel: Option<u64>,
    pub(crate) max_output_bytes: u64,
}

/// How far an execution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// In the queue.
    Pending,
    Running,
    /// The script ended by itself, with whatever exit code.
    Completed,
    /// It was stopped by a limit or by a fault of the service.
    Failed,
    /// Someone asked for that.
    Killed,
}

/// What stopped an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ErrorKind {
    TimeLimit,
    CpuLimit,
    MemoryLimit,
    StackOverflow,
    Crashed,
    /// It waited too long for its turn.
    QueueTimeout,
    Killed,
    /// Something the service needs is not there.
    Unavailable,
    /// The job cannot be run as it is.
    Invalid,
}

/// What an execution used.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub(crate) struct Usage {
    /// The same for the same program and input on every machine.
    pub(crate) fuel: u64,
    pub(crate) peak_memory_bytes: u64,
    pub(crate) disk_bytes: u64,
    pub(crate) cpu_us: u64,
    pub(crate) wall_us: u64,
    /// Time in the queue.
    pub(crate) queue_us: u64,
}

/// A file that an execution made or changed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FileLink {
    pub(crate) path: String,
    pub(crate) size: u64,
    /// Where to fetch it, on this server, for as long as the execution is kept.
    pub(crate) url: String,
    /// The content of a small file that is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<String>,
    /// The content of a small file that is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(content_encoding = "base64")]
    pub(crate) content_base64: Option<String>,
}

/// An execution was accepted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    #[schema(value_type = ExecutionId)]
    pub(crate) execution_id: String,
}

/// How far an execution is, alone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatusOnly {
    pub(crate) status: Status,
}

/// Each event of a stream.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct StreamEvent {
    /// Counts from 1.
    #[schema(pattern = "^[1-9][0-9]*$")]
    id: String,
    #[schema(pattern = "^(state|progress|restarted|stdout|stderr|lagged|result)$")]
    event: String,
    /// Of `state` an object with `status`, of the first also with `execution_id`; of `progress`, `stdout` and `stderr` one with
    /// `text`; of `restarted`, after which what came before is void, one with the `reason`; of
    /// `lagged` one with `missed`, the number of events that were dropped; of `result` an `ExecutionResult`.
    #[schema(content_media_type = "application/json")]
    data: String,
}

/// A page of executions, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExecutionList {
    pub(crate) executions: Vec<ExecutionSummary>,
    /// Pass it as `after` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// One execution in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExecutionSummary {
    #[schema(value_type = ExecutionId)]
    pub(crate) execution_id: String,
    pub(crate) status: Status,
    #[schema(format = DateTime)]
    pub(crate) created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) finished_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration_ms: Option<u64>,
}

/// The name of an environment.
#[derive(ToSchema)]
#[schema(
    value_type = String,
    pattern = "^[0-9a-f]{64}$",
    example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct EnvironmentId(String);

/// Packages that are to be there under a name.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(crate) struct EnvironmentRequest {
    /// At least one.
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) requirements: RequirementList,
    /// Modules that are imported beforehand, at most 100. Default: those of the packages that are named.
    #[serde(deserialize_with = "null_as_default")]
    #[schema(value_type = Vec<Argument>, max_items = 100)]
    pub(crate) preload: Vec<String>,
    /// `3.14` is what WebAssembly runs; 3.10 to 3.13 take a container. Default: what runs the packages.
    #[serde(deserialize_with = "null_as_default")]
    #[schema(pattern = r"^(3\.1[0-4])?$")]
    pub(crate) python_version: String,
}

/// Requirements: names, extras, versions and markers, and nothing else. There may be 500, of 102,400 bytes together.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum RequirementList {
    /// As in a `requirements.txt`.
    Text(String),
    /// One in each.
    List(Vec<String>),
}

impl Default for RequirementList {
    fn default() -> RequirementList {
        RequirementList::List(Vec::new())
    }
}

/// An environment, and how far it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Environment {
    #[schema(value_type = EnvironmentId)]
    pub(crate) id: String,
    pub(crate) status: EnvironmentStatus,
    /// As they were understood.
    pub(crate) requirements: Vec<String>,
    pub(crate) preload: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) python_version: Option<String>,
    /// Where jobs run with it that need nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tier: Option<Tier>,
    /// Why that tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// What goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) progress: Option<String>,
    /// What is in it, by name, once it is ready.
    pub(crate) packages: Vec<EnvironmentPackage>,
    pub(crate) bytes: u64,
    /// Whether jobs start with its packages already imported.
    pub(crate) baked: bool,
    #[schema(format = DateTime)]
    pub(crate) created_at: String,
    #[schema(format = DateTime)]
    pub(crate) last_used_at: String,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// How far an environment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EnvironmentStatus {
    /// It is not there, and made when a job names it or it is created again.
    Defined,
    Preparing,
    Ready,
    /// Its packages cannot be had.
    Failed,
}

/// A package in an environment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EnvironmentPackage {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Whether it has no native parts.
    pub(crate) pure: bool,
}

/// All environments, the last used first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EnvironmentList {
    pub(crate) environments: Vec<Environment>,
}

/// The name of a session.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^[A-Za-z0-9_-]{21}$", example = "V1StGXR8_Z5jdHi6B-myT")]
#[expect(dead_code, reason = "only described")]
pub(crate) struct SessionId(String);

/// The name of a workspace.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^[A-Za-z0-9_-]{21}$", example = "V1StGXR8_Z5jdHi6B-myT")]
#[expect(dead_code, reason = "only described")]
pub(crate) struct WorkspaceId(String);

/// Files that outlive executions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkspaceInfo {
    #[schema(value_type = WorkspaceId)]
    pub(crate) id: String,
    #[schema(format = DateTime)]
    pub(crate) created_at: String,
    #[schema(format = DateTime)]
    pub(crate) last_used_at: String,
    /// When it is deleted, unless it is used before.
    #[schema(format = DateTime)]
    pub(crate) expires_at: String,
    /// Of all its files.
    pub(crate) bytes: u64,
    pub(crate) files: u64,
    /// How many bytes it may have.
    pub(crate) bytes_max: u64,
    /// How many files it may have.
    pub(crate) files_max: u64,
}

/// The caller's workspaces, the last used first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkspaceList {
    pub(crate) workspaces: Vec<WorkspaceInfo>,
}

/// A file of a workspace.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkspaceFileInfo {
    pub(crate) path: String,
    pub(crate) size: u64,
    /// Of its content, in hexadecimal digits.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub(crate) sha256: String,
    /// When it got this content.
    #[schema(format = DateTime)]
    pub(crate) modified_at: String,
    /// Where it is on this server.
    pub(crate) url: String,
}

/// The files of a workspace, by path.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkspaceFiles {
    pub(crate) files: Vec<WorkspaceFileInfo>,
}

/// What came of unpacking an archive.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UnpackedArchive {
    /// All files that the workspace has now.
    pub(crate) files: Vec<WorkspaceFileInfo>,
    /// What was left out, and why.
    pub(crate) warnings: Vec<String>,
}

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`, in the words of the code executor `healthy`, or `draining` before the end.
    #[schema(pattern = "^(ok|healthy|draining)$")]
    pub(crate) status: &'static str,
    #[serde(flatten)]
    #[schema(value_type = HealthDetails)]
    pub(crate) details: Option<HealthDetails>,
}

/// What those who may use the server see of its health: all of it, or nothing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthDetails {
    #[schema(required = false)]
    pub(crate) version: &'static str,
    #[schema(required = false)]
    pub(crate) python: &'static str,
    #[schema(required = false)]
    pub(crate) executors: Vec<Tier>,
    /// Whether containers can be used, and if not, why.
    #[schema(required = false)]
    pub(crate) docker: String,
    /// Of all tiers together.
    #[schema(required = false)]
    pub(crate) slots: usize,
    #[schema(required = false)]
    pub(crate) busy: usize,
    #[schema(required = false)]
    pub(crate) queued: usize,
    /// Where executions are kept: nothing survives a restart.
    #[schema(required = false)]
    pub(crate) state: &'static str,
}

/// Every error has this shape.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// What is wrong.
    pub(crate) error: String,
    /// The same in one word, for programs.
    pub(crate) code: &'static str,
    /// What to do about it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    /// Also in the header `X-Request-Id` and in the log.
    pub(crate) request_id: String,
}

/// Clients in Go send `null` for what they leave out.
fn null_as_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(value: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(value)?.unwrap_or_default())
}

/// The schema of arguments for a function.
fn arguments() -> Object {
    let types = [Type::Array, Type::Object, Type::Null];
    Object::builder()
        .schema_type(SchemaType::from_iter(types))
        .description(Some("An array is positional, an object is by keyword."))
        .build()
}
