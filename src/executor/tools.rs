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
use tokio::sync::mpsc;

/// Tools that one call may have.
pub const TOOLS_MAX: usize = 128;
/// Calls of tools without a result, at the same time.
pub const OUTSTANDING_MAX: usize = 256;
/// Bytes of arguments of one batch of calls, and of one result.
pub const TOOL_BYTES_MAX: usize = 16 << 20;

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
    /// Calls without a result, by id.
    outstanding: Vec<String>,
    /// Results that are there already: refusals, and what was recorded.
    ready: Vec<ToolResult>,
    recorded: HashMap<String, ToolResult>,
    /// What a call gives back while it waits.
    slot: Option<Arc<dyn Suspend>>,
    /// Results so far, where they are kept.
    log: Option<Arc<Mutex<Vec<ToolResult>>>>,
}

/// What whoever made the call has of it: batches of calls to answer.
pub struct ToolDesk {
    /// Batches of calls, each of at least one.
    pub calls: mpsc::UnboundedReceiver<Vec<ToolCall>>,
    /// Takes results, of any of the calls so far.
    pub results: mpsc::UnboundedSender<ToolResult>,
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
    Ok((ToolPort::new(declared, calls, answered), ToolDesk { calls: asked, results }))
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
        let (outstanding, ready, recorded) = (Vec::new(), Vec::new(), HashMap::new());
        ToolPort { tools, calls, results, outstanding, ready, recorded, slot: None, log: None }
    }

    /// Gives something back while the call waits.
    pub(crate) fn suspends(&mut self, slot: Arc<dyn Suspend>) {
        self.slot = Some(slot);
    }

    /// Keeps the results in `log` from now on.
    pub(crate) fn logged(&mut self, log: Arc<Mutex<Vec<ToolResult>>>) {
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
        let mut passed = Vec::with_capacity(calls.len());
        for call in calls {
            let bytes = call.args.as_str().len() + call.kwargs.as_str().len();
            let refusal = if !self.tools.iter().any(|tool| tool.name == call.name) {
                "this tool was not declared"
            } else if bytes > TOOL_BYTES_MAX {
                "the arguments are too large"
            } else if self.outstanding.len() >= OUTSTANDING_MAX {
                "too many calls at the same time"
            } else {
                self.outstanding.push(call.id.clone());
                match self.recorded.remove(&call.id) {
                    Some(result) => self.ready.push(result),
                    None => passed.push(call),
                }
                continue;
            };
            self.ready.push(ToolResult::new(call.id, Err(ToolError::new(refusal))));
        }
        if !passed.is_empty() {
            // Where nobody hears them, there may be results from before.
            let _ = self.calls.send(passed);
        }
        Ok(())
    }

    /// Returns whether there are calls without a result, or results that nobody has fetched.
    pub(crate) fn has_outstanding(&self) -> bool {
        !self.outstanding.is_empty() || !self.ready.is_empty()
    }

    /// Waits for a result, and returns all that there are then, as JSON. When nobody is left to answer, that is the answer.
    pub(crate) async fn answers(&mut self) -> Vec<u8> {
        let mut results = std::mem::take(&mut self.ready);
        if results.is_empty() {
            if let Some(slot) = &self.slot {
                slot.give_back();
            }
            self.results.recv_many(&mut results, OUTSTANDING_MAX).await;
            if let Some(slot) = &self.slot {
                slot.take_again().await;
            }
        }
        if results.is_empty() {
            let unanswered = || Err(ToolError::new("nobody answers calls of tools any more"));
            results = self.outstanding.drain(..).map(|id| ToolResult::new(id, unanswered())).collect();
        }
        // What nobody has asked for is no answer.
        results.retain(|result| match self.outstanding.iter().position(|id| *id == result.id) {
            Some(at) => {
                self.outstanding.swap_remove(at);
                true
            }
            None => result.error.is_some(),
        });
        if let Some(log) = &self.log {
            lock(log).extend(results.iter().cloned());
        }
        serde_json::to_vec(&results).unwrap_or_else(|_| b"[]".to_vec())
    }
}

impl fmt::Debug for ToolPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolPort").field("tools", &self.tools).finish_non_exhaustive()
    }
}
