//! The tool as clients see it.

use super::{Host, answer, arguments::Arguments, run};
use crate::{
    ErrorKind,
    server::{auth::Caller, hints},
    sync::lock,
};
use axum::http::request::Parts;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Extensions, Implementation, JsonObject,
        ListResourceTemplatesResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams,
        ReadResourceResponse, ReadResourceResult, ResourceTemplate, ServerCapabilities, ServerConfig, Tool,
        ToolAnnotations,
    },
    service::RequestContext,
};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    sync::{Arc, LazyLock, Mutex},
};

const RUN_PYTHON: &str = "run_python";

const INSTRUCTIONS: &str = "Runs Python 3.14 in a sandbox. A call has an interpreter of its own, unless it names a session: \
                            \"session\": \"new\" starts one, and its id, which the answer has, goes on with its variables, \
                            imports and files.";

const DESCRIPTION: &str = "Run Python 3.14 in a sandbox, and get what it prints, the value of its last expression, the \
                           figures that it draws and the files that it writes to the current folder. Packages that the \
                           code imports are installed by themselves. Each call is a new interpreter: to keep variables, \
                           imports and files, pass \"session\": \"new\", and then the session id from the answer. A script \
                           that fails is answered with its traceback. There is no network unless it is asked for.";

/// What arguments the tool takes.
static INPUT: LazyLock<Arc<JsonObject>> = LazyLock::new(|| {
    object(json!({
        "type": "object",
        "properties": {
            "code": {
                "type": "string",
                "description": "Python. The value of a last expression comes back as result.",
            },
            "session": {
                "type": "string",
                "description": "\"new\" starts a session; a session id goes on with it. Left out: an interpreter for this call.",
            },
            "files": {
                "type": "array",
                "description": "Files that the code finds in its current folder",
                "items": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string", "description": "Relative path"},
                        "content": {"type": "string", "description": "Text"},
                        "content_base64": {"type": "string", "description": "Instead of content: bytes"},
                    },
                    "required": ["name"],
                },
            },
            "stdin": {"type": "string", "description": "Standard input"},
            "requirements": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Packages with versions, as in [\"numpy==2.3.1\"]; others are found by their imports",
            },
            "network": {"type": "boolean", "description": "Let the code use the network"},
            "timeout_seconds": {"type": "number", "minimum": 0},
        },
        "required": ["code"],
    }))
});

/// What its answers have.
static OUTPUT: LazyLock<Arc<JsonObject>> = LazyLock::new(|| object(answer::schema()));

fn object(value: Value) -> Arc<JsonObject> {
    match value {
        Value::Object(object) => Arc::new(object),
        _ => Arc::default(),
    }
}

/// One client, or one request of a client who keeps no connection.
pub(super) struct Face {
    host: Arc<Host>,
    /// The only client there is, where that is so.
    client: Option<Arc<str>>,
    made: Made,
}

/// For whom code runs.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    pub(super) name: Arc<str>,
    pub(super) index: u64,
}

/// Why a call has no answer.
pub(super) enum Failure {
    /// In words for a model, which can do something about it.
    Told(String),
    /// It was cancelled: nobody waits for an answer.
    Cancelled,
}

impl From<crate::Error> for Failure {
    fn from(error: crate::Error) -> Failure {
        Failure::Told(match error.kind() {
            ErrorKind::InvalidJob | ErrorKind::NotFound | ErrorKind::Busy => {
                let hint = error.hint().map_or_else(String::new, |hint| format!("\nhint: {}", hints::words(hint)));
                format!("{}{hint}", error.message())
            }
            ErrorKind::Unavailable | ErrorKind::NoImage | ErrorKind::InvalidSettings => {
                tracing::error!(%error, "the service is at fault");
                "the service cannot do this now; its log says why".to_owned()
            }
        })
    }
}

impl Face {
    pub(super) fn new(host: Arc<Host>, client: Option<&str>) -> Face {
        Face { host, client: client.map(Arc::from), made: Made::default() }
    }

    /// Names the caller of a request, whose key was checked before.
    fn owner(&self, extensions: &Extensions) -> Result<Owner, ErrorData> {
        if let Some(name) = &self.client {
            return Ok(Owner { name: Arc::clone(name), index: 0 });
        }
        let caller = extensions.get::<Parts>().and_then(|parts| parts.extensions.get::<Caller>());
        let caller = caller.ok_or_else(|| ErrorData::internal_error("the request has no caller", None))?;
        Ok(Owner { name: Arc::clone(&caller.name), index: caller.index as u64 })
    }

    pub(super) fn host(&self) -> &Arc<Host> {
        &self.host
    }

    pub(super) fn made(&self) -> &Made {
        &self.made
    }
}

/// Sessions that a client has made, the one used last behind.
#[derive(Default)]
pub(super) struct Made(Mutex<VecDeque<String>>);

impl Made {
    /// Adds one, and returns the one that has to go when there are more than `most`.
    pub(super) fn add(&self, session: &str, most: usize) -> Option<String> {
        let mut made = lock(&self.0);
        made.push_back(session.to_owned());
        (made.len() > most).then(|| made.pop_front()).flatten()
    }

    /// Puts one that is used behind all others.
    pub(super) fn used(&self, session: &str) {
        let mut made = lock(&self.0);
        if let Some(at) = made.iter().position(|id| id == session) {
            let id = made.remove(at);
            made.extend(id);
        }
    }
}

fn tool() -> Tool {
    let annotations =
        ToolAnnotations::from_raw(Some("Run Python".to_owned()), Some(false), Some(false), None, Some(true));
    Tool::new(RUN_PYTHON, DESCRIPTION, Arc::clone(&INPUT))
        .with_title("Run Python")
        .with_raw_output_schema(Arc::clone(&OUTPUT))
        .with_annotations(annotations)
}

impl ServerHandler for Face {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_resources().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("pyexec", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        (name == RUN_PYTHON).then(tool)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(vec![tool()]))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if request.name != RUN_PYTHON {
            let message = format!("there is no tool {:?}: there is {RUN_PYTHON}", request.name);
            return Err(ErrorData::invalid_params(message, None));
        }
        let owner = self.owner(&context.extensions)?;
        let answer = match Arguments::read(request.arguments, &self.host.settings) {
            Ok(arguments) => run::run(self, &owner, arguments, &context).await,
            Err(problem) => Err(Failure::Told(problem)),
        };
        let result = match answer {
            Ok(answer) => answer.render(),
            Err(Failure::Told(problem)) => CallToolResult::error(vec![ContentBlock::text(problem)]),
            Err(Failure::Cancelled) => CallToolResult::error(vec![ContentBlock::text("the call was cancelled")]),
        };
        Ok(result.into())
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let template = ResourceTemplate::new(answer::FILE_URI_TEMPLATE, "file")
            .with_description("A file in the folder of a session");
        Ok(ListResourceTemplatesResult::with_all_items(vec![template]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let owner = self.owner(&context.extensions)?;
        let missing = |message: String| ErrorData::resource_not_found(message, Some(json!({"uri": request.uri})));
        let Some((session, path)) = answer::session_file(&request.uri) else {
            return Err(missing(format!("{:?} is no file of a session", request.uri)));
        };
        match run::read_file(&self.host, &owner, &session, &path).await {
            Ok(content) => Ok(ReadResourceResult::new(vec![answer::contents(&request.uri, &path, &content)]).into()),
            Err(Failure::Told(problem)) => Err(missing(problem)),
            Err(Failure::Cancelled) => Err(ErrorData::internal_error("the request was cancelled", None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_used_last_stays() {
        let made = Made::default();
        assert_eq!([made.add("a", 2), made.add("b", 2)], [None, None]);
        made.used("a");
        made.used("of another client");
        assert_eq!(made.add("c", 2).as_deref(), Some("b"));
        assert_eq!(*lock(&made.0), ["a", "c"]);
    }
}
