//! Functions of the host that a program can call.

use crate::{Error, Result, outcome::JsonText, sync::lock};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::HashMap,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex},
};
use tokio::sync::{mpsc, watch};

/// Tools that one call may have.
pub const TOOLS_MAX: usize = 128;
/// Calls of tools without a result, at the same time.
pub const OUTSTANDING_MAX: usize = 256;
/// Bytes of arguments of all calls without a result, and of one result.
pub const TOOL_BYTES_MAX: usize = 16 << 20;
/// Bytes of the id of a call.
const ID_BYTES_MAX: usize = 64;
/// Bytes of the results of one call that are kept, for when it runs again.
const LOG_BYTES_MAX: usize = 4 << 20;

/// Declares a function of the host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tool {
    /// What the program calls it: an identifier of Python.
    pub name: String,
    /// Its documentation there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A JSON schema of its parameters; positional arguments are named after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Value>,
    /// Whether it is awaited: `await tool(…)`. Calls that are awaited together come together.
    #[serde(default)]
    pub awaited: bool,
}

impl Tool {
    /// Declares a function that is called without `await`.
    pub fn new(name: impl Into<String>) -> Tool {
        Tool { name: name.into(), description: None, parameters: None, awaited: false }
    }

    /// Sets its documentation.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Tool {
        self.description = Some(description.into());
        self
    }

    /// Sets the JSON schema of its parameters.
    #[must_use]
    pub fn parameters(mut self, schema: Value) -> Tool {
        self.parameters = Some(schema);
        self
    }

    /// Sets whether it is awaited.
    #[must_use]
    pub fn awaited(mut self, awaited: bool) -> Tool {
        self.awaited = awaited;
        self
    }
}

/// Asks for one call of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolCall {
    /// Tells the calls of a session apart.
    pub id: String,
    /// Which tool.
    pub name: String,
    /// Positional arguments, a JSON array; empty where the tool has a schema.
    pub args: JsonText,
    /// Arguments by keyword, a JSON object.
    pub kwargs: JsonText,
}

/// Answers one call of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolResult {
    id: String,
    /// `None` is JSON's null, where there is no error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<JsonText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<ToolError>,
}

/// Says why a call of a tool has failed: an exception where it was called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolError {
    /// The name of an exception that is Python's own; another one is a `ToolExecutionError`.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
    /// What it says.
    pub message: String,
}

impl ToolResult {
    /// Answers a call.
    pub fn new(id: impl Into<String>, end: std::result::Result<JsonText, ToolError>) -> ToolResult {
        let (value, error) = match end {
            Ok(value) => (Some(value), None),
            Err(error) => (None, Some(error)),
        };
        ToolResult { id: id.into(), value, error }
    }

    fn bytes(&self) -> usize {
        let error =
            self.error.as_ref().map_or(0, |error| error.message.len() + error.kind.as_ref().map_or(0, String::len));
        self.id.len() + error + self.value.as_ref().map_or(0, |value| value.as_str().len())
    }

    /// Returns the id of the call that it answers.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl ToolError {
    /// Fails with a `ToolExecutionError`.
    pub fn new(message: impl Into<String>) -> ToolError {
        ToolError { kind: None, message: message.into() }
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ToolError {}

/// Is given back while a call waits for its host, and taken again before it goes on.
pub(crate) trait Suspend: Send + Sync {
    /// Gives it back.
    fn give_back(&self);

    /// Waits until it has it again.
    fn take_again(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// What a running call has of its tools: it asks here, and is answered here.
pub struct ToolPort {
    tools: Vec<Tool>,
    calls: mpsc::UnboundedSender<Vec<ToolCall>>,
    results: mpsc::UnboundedReceiver<ToolResult>,
    /// Calls without a result.
    outstanding: Vec<Outstanding>,
    /// Answers of our own to calls that go no further.
    refused: Vec<ToolResult>,
    /// Results that the guest has not fetched.
    ready: Vec<ToolResult>,
    /// Results that were received.
    taken: u64,
    waits: watch::Sender<u64>,
    recorded: HashMap<String, ToolResult>,
    /// What a call gives back while it waits.
    slot: Option<Arc<dyn Suspend>>,
    /// Whether that is given back now.
    is_suspended: bool,
    /// Results so far, where they are kept.
    log: Option<Arc<Mutex<ToolLog>>>,
}

/// A call without a result.
struct Outstanding {
    id: String,
    bytes: usize,
}

/// Keeps the results that a call has had, for when it runs again.
#[derive(Debug, Default)]
pub(crate) struct ToolLog {
    results: Vec<ToolResult>,
    bytes: usize,
    is_cut: bool,
}

impl ToolLog {
    fn add(&mut self, results: &[ToolResult]) {
        for result in results {
            self.bytes += result.bytes();
            self.is_cut |= self.bytes > LOG_BYTES_MAX;
            if !self.is_cut {
                self.results.push(result.clone());
            }
        }
    }

    /// Returns all results; `None` when they were too many to keep.
    pub(crate) fn take(&mut self) -> Option<Vec<ToolResult>> {
        let ToolLog { results, is_cut, .. } = std::mem::take(self);
        (!is_cut).then_some(results)
    }
}

/// What whoever made the call has of it: batches of calls to answer.
pub struct ToolDesk {
    /// Batches of calls, each of at least one.
    pub calls: mpsc::UnboundedReceiver<Vec<ToolCall>>,
    /// Takes results, of any of the calls so far.
    pub results: mpsc::UnboundedSender<ToolResult>,
    /// How many results the program has taken when it last came to wait for more.
    #[cfg(feature = "server")]
    waits: watch::Receiver<u64>,
}

#[cfg(feature = "server")]
impl ToolDesk {
    /// Waits until the program waits for more, after it has taken this many results; for ever where it does not.
    pub(crate) fn waits_after(&self, results: u64) -> impl Future<Output = ()> + use<> {
        let mut waits = self.waits.clone();
        async move {
            if waits.wait_for(|taken| *taken >= results).await.is_err() {
                std::future::pending().await
            }
        }
    }
}

/// Makes the two ends of what a call has of its tools.
///
/// # Errors
///
/// When a tool cannot be declared: by its name, or as there are too many.
pub fn tools(declared: Vec<Tool>) -> Result<(ToolPort, ToolDesk)> {
    check(&declared)?;
    // Bounded by what the guest may have outstanding.
    let (calls, asked) = mpsc::unbounded_channel();
    let (results, answered) = mpsc::unbounded_channel();
    let port = ToolPort::new(declared, calls, answered);
    #[cfg(feature = "server")]
    let waits = port.waits.subscribe();
    let desk = ToolDesk {
        calls: asked,
        results,
        #[cfg(feature = "server")]
        waits,
    };
    Ok((port, desk))
}

fn check(tools: &[Tool]) -> Result<()> {
    if tools.len() > TOOLS_MAX {
        return Err(Error::invalid(format!("tools: {} of them; {TOOLS_MAX} are allowed", tools.len())));
    }
    for (at, tool) in tools.iter().enumerate() {
        let name = &tool.name;
        let is_identifier = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_identifier || name.len() > 200 || KEYWORDS.contains(&&**name) {
            return Err(Error::invalid(format!(
                "tools: {name:?} is no name for a function: letters, digits and _, and no keyword of Python"
            )));
        }
        if tools[..at].iter().any(|other| other.name == *name) {
            return Err(Error::invalid(format!("tools: {name} is declared twice")));
        }
    }
    Ok(())
}

const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

impl ToolPort {
    /// Answers calls of a program that runs again as they were answered before.
    pub(crate) fn replayed(tools: Vec<Tool>, results: Vec<ToolResult>) -> ToolPort {
        // Nobody hears the calls, and nobody else answers.
        let ((calls, _), (_, results_after)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
        let recorded = results.into_iter().map(|result| (result.id.clone(), result)).collect();
        ToolPort { recorded, ..ToolPort::new(tools, calls, results_after) }
    }

    fn new(
        tools: Vec<Tool>,
        calls: mpsc::UnboundedSender<Vec<ToolCall>>,
        results: mpsc::UnboundedReceiver<ToolResult>,
    ) -> ToolPort {
        ToolPort {
            tools,
            calls,
            results,
            outstanding: Vec::new(),
            refused: Vec::new(),
            ready: Vec::new(),
            taken: 0,
            waits: watch::Sender::new(0),
            recorded: HashMap::new(),
            slot: None,
            is_suspended: false,
            log: None,
        }
    }

    /// Gives something back while the call waits.
    pub(crate) fn suspends(&mut self, slot: Arc<dyn Suspend>) {
        self.slot = Some(slot);
    }

    /// Keeps the results in `log` from now on.
    pub(crate) fn logged(&mut self, log: Arc<Mutex<ToolLog>>) {
        self.log = Some(log);
    }

    /// Returns the declarations.
    pub(crate) fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// Returns the declarations as JSON.
    pub(crate) fn declared(&self) -> String {
        serde_json::to_string(&self.tools).unwrap_or_default()
    }

    /// Passes calls on that a guest asks for; what was not declared, or is too much, is answered with an error.
    ///
    /// # Errors
    ///
    /// When they are no calls: no program of Python writes them.
    pub(crate) fn ask(&mut self, json: &[u8]) -> Result<(), &'static str> {
        let calls: Vec<ToolCall> = serde_json::from_slice(json).map_err(|_| "calls of tools that are none")?;
        if calls.iter().any(|call| !call.args.is_arguments() || !call.kwargs.is_arguments()) {
            return Err("arguments of a tool that are none");
        }
        if calls.iter().any(|call| call.id.len() > ID_BYTES_MAX) {
            return Err("the id of a call of a tool is too long");
        }
        let mut passed = Vec::new();
        let mut outstanding_bytes: usize = self.outstanding.iter().map(|it| it.bytes).sum();
        for call in calls {
            let bytes = call.args.as_str().len() + call.kwargs.as_str().len();
            let refusal = if !self.tools.iter().any(|tool| tool.name == call.name) {
                "this tool was not declared"
            } else if outstanding_bytes + bytes > TOOL_BYTES_MAX {
                "the arguments are too large"
            } else if self.outstanding.len() >= OUTSTANDING_MAX {
                "too many calls at the same time"
            } else {
                outstanding_bytes += bytes;
                self.outstanding.push(Outstanding { id: call.id.clone(), bytes });
                match self.recorded.remove(&call.id) {
                    Some(result) => self.ready.push(result),
                    None => passed.push(call),
                }
                continue;
            };
            if self.refused.len() >= OUTSTANDING_MAX {
                return Err("calls of tools whose results nobody fetches");
            }
            self.refused.push(ToolResult::new(call.id, Err(ToolError::new(refusal))));
        }
        if !passed.is_empty() {
            // Where nobody hears them, there may be results from before.
            let _ = self.calls.send(passed);
        }
        Ok(())
    }

    /// Returns whether there are calls without a result, or results that nobody has fetched.
    pub(crate) fn has_outstanding(&self) -> bool {
        !self.outstanding.is_empty() || !self.refused.is_empty() || !self.ready.is_empty()
    }

    /// Gives back what the call gives back while it waits.
    fn suspend(&mut self) {
        if let (Some(slot), false) = (&self.slot, self.is_suspended) {
            slot.give_back();
            self.is_suspended = true;
        }
    }

    /// Waits until the call has again what it gave back: whatever has ended its waiting, it runs only then.
    pub(crate) async fn go_on(&mut self) {
        if let (Some(slot), true) = (&self.slot, self.is_suspended) {
            slot.take_again().await;
            self.is_suspended = false;
        }
    }

    /// Waits for a result, and returns all that there are then, as JSON. When nobody is left to answer, that is the answer.
    /// When this is dropped, the results are there the next time, and [`ToolPort::go_on`] is due.
    pub(crate) async fn answers(&mut self) -> Vec<u8> {
        if self.ready.is_empty() && self.refused.is_empty() {
            if self.results.is_empty() {
                self.suspend();
                self.waits.send_replace(self.taken);
            }
            self.taken += self.results.recv_many(&mut self.ready, OUTSTANDING_MAX).await as u64;
            self.go_on().await;
        }
        let mut results = std::mem::take(&mut self.ready);
        if results.is_empty() && self.refused.is_empty() {
            let unanswered = || Err(ToolError::new("nobody answers calls of tools any more"));
            results = self.outstanding.drain(..).map(|it| ToolResult::new(it.id, unanswered())).collect();
        } else {
            // What nobody has asked for is no answer.
            results.retain(|result| {
                let at = self.outstanding.iter().position(|it| it.id == result.id);
                at.map(|at| self.outstanding.swap_remove(at)).is_some()
            });
        }
        for result in &mut results {
            if result.bytes() > TOOL_BYTES_MAX {
                let why = ToolError::new(format!("the result is larger than {TOOL_BYTES_MAX} bytes"));
                *result = ToolResult::new(std::mem::take(&mut result.id), Err(why));
            }
        }
        if let Some(log) = &self.log {
            lock(log).add(&results);
        }
        results.append(&mut self.refused);
        serde_json::to_vec(&results).unwrap_or_else(|_| b"[]".to_vec())
    }
}

impl fmt::Debug for ToolPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolPort").field("tools", &self.tools).finish_non_exhaustive()
    }
}
