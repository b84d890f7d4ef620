//! The objects of the wire. Clients of older services speak them: nothing may be renamed, and what is added is optional.
//!
//! **Architecture invariant:** these types know JSON and nothing of how a job runs.

use crate::outcome::{CapabilityMiss, LimitHit, RichOutput, Tier};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use std::{fmt, marker::PhantomData};
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
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(crate) struct EvalRequest {
    /// Python source, run as `main.py`. It may have 102,400 bytes, as may all files together.
    #[serde(deserialize_with = "null_as_default")]
    #[schema(example = "print('hello')", max_length = 102_400, pattern = r"^[^\x00]*$")]
    pub(crate) code: String,
    /// Files of the project; they win over `code`.
    #[serde(deserialize_with = "objects")]
    pub(crate) files: Vec<CodeFile>,
    /// Read by itself, so that what is not known in it is read past, however deep it is.
    #[serde(deserialize_with = "object_or_nothing")]
    pub(crate) config: Option<Config>,
    /// The rest is common to all ways to run something.
    #[serde(flatten)]
    pub(crate) common: Common,
    /// Answer with server-sent events while the code runs.
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) stream: bool,
}

/// The part `metadata` of an uploaded project.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(crate) struct Metadata {
    /// Read by itself, so that what is not known in it is read past, however deep it is.
    #[serde(deserialize_with = "object_or_nothing")]
    pub(crate) config: Option<Config>,
    #[serde(flatten)]
    pub(crate) common: Common,
}

/// What every way to run something accepts.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(crate) struct Common {
    /// The file to run. Default: `main.py`; without one, the first file of code, or `__main__.py` or the first `.py` file of an
    /// upload.
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) entrypoint: String,
    /// Standard input.
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) stdin: String,
    /// `3.14` runs in WebAssembly; 3.10 to 3.13 take a container.
    #[serde(deserialize_with = "null_as_default")]
    #[schema(pattern = r"^(3\.1[0-4])?$")]
    pub(crate) python_version: String,
    /// Give the value of the last expression back as `result`.
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) eval_last_expr: bool,
    /// Packages, one requirement a line; `-` turns their detection off.
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) requirements_txt: String,
    /// An environment to run in, by its id; its requirements are added to those given here.
    #[serde(deserialize_with = "null_as_default")]
    #[schema(pattern = "^([0-9a-f]{64})?$")]
    pub(crate) environment: String,
    /// The container image to run in.
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) docker_image: String,
    /// Shell commands that prepare the container, as root and with a network; they see nothing of the project.
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) pre_commands: Vec<String>,
    /// Environment variables.
    #[serde(deserialize_with = "null_as_default")]
    #[schema(value_type = Vec<Variable>)]
    pub(crate) env_vars: Vec<String>,
    /// `sys.argv[1:]`
    #[serde(deserialize_with = "null_as_default")]
    #[schema(value_type = Vec<Argument>)]
    pub(crate) script_args: Vec<String>,
    /// Which tier may run it.
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) executor: ExecutorChoice,
    /// Whether it may use the network. An upload with a `config` that does not say `network_disabled` may.
    pub(crate) network: Option<bool>,
    /// A function of the script to call after it ran; what it returns is the `result`.
    pub(crate) entry_function: Option<EntryFunction>,
    /// Give the files back that it made or changed.
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) collect_files: bool,
}

/// `NAME=value`.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = r"^[^=\x00]+=[^\x00]*$", example = "LANG=C.UTF-8")]
#[expect(dead_code, reason = "only described")]
pub(crate) struct Variable(String);

/// Text without NUL.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = r"^[^\x00]*$")]
#[expect(dead_code, reason = "only described")]
pub(crate) struct Argument(String);

/// A file of the project.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct CodeFile {
    /// Its path in the project: relative, without `..`.
    #[schema(example = "helper.py", min_length = 1, pattern = r"^[^\x00]*$")]
    pub(crate) name: String,
    #[serde(default, deserialize_with = "null_as_default")]
    #[schema(max_length = 102_400, pattern = r"^[^\x00]*$")]
    pub(crate) content: String,
}

/// Name of a function, or name and arguments.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum EntryFunction {
    /// Called without arguments.
    Name(String),
    /// Called with arguments.
    Call {
        name: String,
        /// An array is positional, an object is by keyword.
        #[serde(default)]
        #[schema(schema_with = arguments)]
        arguments: serde_json::Value,
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

/// Limits of one execution. 0 or absent is the server's default; above its maximum is the maximum.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(crate) struct Config {
    /// Wall clock. Of calls that wait for the result it includes the time in the queue.
    #[serde(deserialize_with = "null_as_default")]
    #[schema(minimum = 0)]
    pub(crate) timeout_seconds: i64,
    /// No network for the code.
    pub(crate) network_disabled: Option<bool>,
    #[serde(deserialize_with = "null_as_default")]
    #[schema(minimum = 0)]
    pub(crate) memory_mb: i64,
    #[serde(deserialize_with = "null_as_default")]
    #[schema(minimum = 0)]
    pub(crate) disk_mb: i64,
    /// Weight among containers; 1024 is the usual one.
    #[serde(deserialize_with = "null_as_default")]
    #[schema(minimum = 0)]
    pub(crate) cpu_shares: i64,
    /// CPU budget in fuel, of WebAssembly only. The same program uses the same on every machine.
    #[serde(deserialize_with = "null_as_default")]
    #[schema(minimum = 0)]
    pub(crate) cpu_fuel: i64,
}

/// What an execution came to, or how far it is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ExecutionResult {
    #[schema(value_type = ExecutionId)]
    pub(crate) execution_id: String,
    pub(crate) status: Status,
    /// The script's own; 0 when the execution failed, 137 when it was killed.
    #[schema(minimum = 0, maximum = 255)]
    pub(crate) exit_code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) duration_ms: u64,
    pub(crate) duration_us: u64,
    /// Why the execution failed. A script that exits with another code than 0 has not failed in this sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// Class of the uncaught exception.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_type: Option<String>,
    /// Line of the submitted code in which it came up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_line: Option<u32>,
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
    /// The same as JSON, when it is JSON-able.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value)]
    pub(crate) result_json: Option<serde_json::Value>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
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

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`, or `draining` before the end.
    #[schema(pattern = "^(ok|draining)$")]
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
    /// What is wrong, and what to do about it.
    pub(crate) error: String,
    /// The same in one word, for programs.
    pub(crate) code: &'static str,
    /// Also in the header `X-Request-Id` and in the log.
    pub(crate) request_id: String,
}

/// Clients in Go send `null` for what they leave out.
fn null_as_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(value: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(value)?.unwrap_or_default())
}

/// An object, or nothing for null.
fn object_or_nothing<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    Ok(Option::<FromObject<T>>::deserialize(value)?.map(|object| object.0))
}

/// As [`null_as_default`], of an array of objects.
fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Vec<T>, D::Error> {
    let objects = Option::<Vec<FromObject<T>>>::deserialize(value)?.unwrap_or_default();
    Ok(objects.into_iter().map(|object| object.0).collect())
}

/// Of an object alone. What is derived would take an array for it as well, of its fields in their order.
struct FromObject<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for FromObject<T> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<FromObject<T>, D::Error> {
        value.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = FromObject<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FromObject<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(FromObject)
    }
}

/// The schema of arguments for a function.
fn arguments() -> Object {
    let types = [Type::Array, Type::Object, Type::Null];
    Object::builder()
        .schema_type(SchemaType::from_iter(types))
        .description(Some("An array is positional, an object is by keyword."))
        .build()
}
