//! What is said of sessions.

use super::{CodeFile, Common, Config, ExecutionResult, Read, SessionId};
use crate::{
    executor::{SessionFile, Tool, ToolError},
    outcome::{Display, JsonText, Tier},
    server::{
        members::{Members, utf8},
        render::timestamp,
    },
    sessions::{SessionInfo, SessionState},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A session: an interpreter that lives on between calls, with its files.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    #[schema(value_type = SessionId)]
    pub(crate) id: String,
    pub(crate) state: State,
    /// Where its code runs.
    pub(crate) executor: Tier,
    /// Calls that it has had.
    pub(crate) calls: u64,
    #[schema(format = DateTime)]
    pub(crate) created_at: String,
    #[schema(format = DateTime)]
    pub(crate) last_used_at: String,
    /// When it goes, unless it is used.
    #[schema(format = DateTime)]
    pub(crate) expires_at: String,
    /// What was not taken as it was written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) warnings: Vec<String>,
}

/// How a session is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// In a call.
    Busy,
    /// In memory.
    Live,
    /// On disk; its next call brings it back.
    Frozen,
}

impl Session {
    pub(crate) fn new(info: &SessionInfo, warnings: Vec<String>) -> Session {
        Session {
            id: info.id.clone(),
            state: match info.state {
                SessionState::Busy => State::Busy,
                SessionState::Live => State::Live,
                SessionState::Frozen => State::Frozen,
            },
            executor: info.tier,
            calls: info.calls,
            created_at: timestamp(info.created),
            last_used_at: timestamp(info.last_used),
            expires_at: timestamp(info.expires),
            warnings,
        }
    }
}

/// Sessions, the one used last first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionList {
    pub(crate) sessions: Vec<Session>,
}

/// What a session gets: as for an evaluation, but for code.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct SessionRequest {
    /// Files of its project folder.
    #[schema(required = false)]
    files: Vec<CodeFile>,
    #[schema(required = false)]
    config: Option<Config>,
    #[serde(flatten)]
    common: Common,
}

/// A cell, with all that it gets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"code": "x = 20\nx + 1"}))]
pub(crate) struct CallRequest {
    #[schema(required = false)]
    pub(crate) code: String,
    /// Standard input.
    #[schema(required = false)]
    pub(crate) stdin: String,
    /// Of these time, CPU and output; the session has its memory and disk.
    pub(crate) config: Option<Config>,
    /// Functions that it may call. When it does, the answer has `tool_calls`, and goes on with `calls/continue`.
    #[schema(required = false, max_items = 128)]
    pub(crate) tools: Vec<ToolDeclaration>,
    /// Whether the answer is a stream of events, as with `Accept: text/event-stream`.
    #[schema(required = false)]
    pub(crate) stream: bool,
}

impl CallRequest {
    pub(crate) fn read(json: &[u8]) -> Result<Read<CallRequest>, String> {
        let text = utf8(json);
        let mut warnings = Vec::new();
        let mut members = Members::of(&text)?;
        let request = CallRequest {
            code: members.text("code")?,
            stdin: members.text("stdin")?,
            config: Config::read(&mut members, &mut warnings)?,
            tools: members.list("tools")?,
            stream: members.take("stream")?,
        };
        members.unknown((&[], ""), &mut warnings)?;
        Ok(Read { request, warnings })
    }
}

/// A function of the client that the code may call.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToolDeclaration {
    /// An identifier of Python.
    #[schema(pattern = "^[A-Za-z_][A-Za-z0-9_]*$")]
    name: String,
    /// Its documentation there.
    #[serde(default)]
    description: Option<String>,
    /// A JSON schema of its parameters; positional arguments are named after it.
    #[serde(default)]
    #[schema(value_type = Object, nullable, required = false)]
    parameters: Option<serde_json::Map<String, serde_json::Value>>,
    /// Whether it is awaited; calls that are awaited together come together.
    #[serde(default)]
    awaited: bool,
}

impl From<ToolDeclaration> for Tool {
    fn from(declared: ToolDeclaration) -> Tool {
        let mut tool = Tool::new(declared.name).awaited(declared.awaited);
        tool.description = declared.description;
        tool.parameters = declared.parameters.map(Into::into);
        tool
    }
}

/// A place in code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceInCode {
    pub(crate) code: String,
    /// Counted in characters; its end when not given.
    #[serde(default)]
    pub(crate) at: Option<usize>,
}

/// Code that may go on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodeSoFar {
    pub(crate) code: String,
}

/// What may stand at a place in code.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct Completions {
    /// Where the text begins that they replace, in characters.
    start: usize,
    matches: Vec<String>,
}

/// Whether code is whole.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct Completeness {
    #[schema(pattern = "^(complete|incomplete|invalid)$")]
    status: String,
    /// How its next line is indented.
    indent: String,
}

/// What is known of the object at a place in code.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct Inspection {
    found: bool,
    text: String,
}

/// Results of tools, for a call that waits for them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContinueRequest {
    /// As in the answer that had the calls.
    pub(crate) continuation_token: String,
    /// Of some or all of the calls without a result.
    pub(crate) tool_results: Vec<ToolAnswer>,
}

/// The result of one call of a tool, or why there is none.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToolAnswer {
    pub(crate) call_id: String,
    #[serde(default)]
    #[schema(value_type = Value)]
    pub(crate) result: Option<JsonText>,
    #[serde(default)]
    pub(crate) error: Option<ToolFailure>,
}

/// Why a call of a tool has failed: an exception where it was called.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToolFailure {
    /// An exception of Python's own; another one is a `ToolExecutionError`.
    #[serde(default, rename = "type")]
    kind: Option<String>,
    message: String,
}

impl From<ToolFailure> for ToolError {
    fn from(failure: ToolFailure) -> ToolError {
        ToolError { kind: failure.kind, message: failure.message }
    }
}

/// What came of a call, or what it waits for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum CallAnswer {
    Ended(Box<CallResult>),
    Waits(ToolCallsRequired),
    GoesOn(CallGoesOn),
}

/// What came of an evaluation with tools, or what it waits for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum EvalAnswer {
    Ended(Box<ExecutionResult>),
    Waits(ToolCallsRequired),
    GoesOn(CallGoesOn),
}

/// A call whose results of tools have come, and whose events are followed elsewhere.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CallGoesOn {
    /// Absent of an evaluation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = SessionId, required = false)]
    pub(crate) session_id: Option<String>,
    pub(crate) status: RunningStatus,
}

/// That it runs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunningStatus {
    Running,
}

/// Each event of a call.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct CallStreamEvent {
    /// Counts from 1.
    #[schema(pattern = "^[1-9][0-9]*$")]
    id: String,
    #[schema(pattern = "^(state|progress|restarted|stdout|stderr|display|lagged|tool_calls|result|error)$")]
    event: String,
    /// Of `state` an object with `status`; of `progress`, `stdout` and `stderr` one with `text`; of `restarted`, after which what
    /// came before is void, one with the `reason`; of `display` a `Display`; of `lagged` one with `missed`, the number of events
    /// that were dropped; of `tool_calls` a `ToolCallsRequired`, for `calls/continue`; of `result` a `CallResult`, and of `error`
    /// an `ErrorBody`: each the last.
    #[schema(content_media_type = "application/json")]
    data: String,
}

/// What came of a call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CallResult {
    #[serde(flatten)]
    pub(crate) execution: ExecutionResult,
    #[schema(value_type = SessionId)]
    pub(crate) session_id: String,
    /// Which call of the session it was, from 1.
    pub(crate) call: u64,
    /// Where the session went on elsewhere for this call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) moved: Option<MovedSession>,
    /// How the session came back for this call, where calls of it had to run again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) restored: Option<RestoredSession>,
    /// Whether the interpreter was lost in this call: the next one has the state from before it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub(crate) interpreter_lost: bool,
    /// What it has shown, in order: its value, figures, and what it gave to `display()`.
    pub(crate) displays: Vec<Display>,
}

/// A session that went on elsewhere: its calls ran again there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MovedSession {
    pub(crate) replayed: u64,
    /// Calls that ended differently, by number.
    pub(crate) different: Vec<u64>,
}

/// A session that was not in memory: what was not frozen ran again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RestoredSession {
    /// Calls that ran again.
    pub(crate) replayed: u64,
    /// Those of them that ended differently, by number.
    pub(crate) different: Vec<u64>,
    /// Calls whose names are gone for good, since they could not run again; files are kept.
    pub(crate) lost_calls: u64,
}

/// A call that waits for results of tools.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ToolCallsRequired {
    /// Absent of an evaluation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = SessionId, required = false)]
    pub(crate) session_id: Option<String>,
    pub(crate) status: WaitingStatus,
    /// For `calls/continue`, or `eval/continue`, once.
    pub(crate) continuation_token: String,
    pub(crate) tool_calls: Vec<RequiredCall>,
}

/// That it waits.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WaitingStatus {
    ToolCallRequired,
}

/// One call of a tool.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RequiredCall {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Its arguments by keyword.
    #[schema(value_type = Object)]
    pub(crate) input: JsonText,
    /// Its positional arguments; empty where the tool has a schema.
    #[schema(value_type = Vec<Value>)]
    pub(crate) args: JsonText,
}

/// Names of states that a session keeps.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckpointList {
    pub(crate) checkpoints: Vec<String>,
}

/// Files in the project folder of a session, by path.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionFiles {
    pub(crate) files: Vec<SessionFileInfo>,
}

/// A file of a session.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionFileInfo {
    pub(crate) path: String,
    pub(crate) size: u64,
    #[schema(format = DateTime)]
    pub(crate) modified_at: String,
}

impl From<SessionFile> for SessionFileInfo {
    fn from(file: SessionFile) -> SessionFileInfo {
        SessionFileInfo { size: file.bytes, modified_at: timestamp(file.modified), path: file.path }
    }
}
