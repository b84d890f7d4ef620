//! The OpenAPI document, made from the types, and Swagger UI to read it.

use super::{eval, exec, executions, service};
use crate::server::{App, api};
use axum::Router;
use std::sync::Arc;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_swagger_ui::{Config, SwaggerUi};

const DOCUMENT: &str = "/docs/doc.json";

#[derive(OpenApi)]
#[openapi(
    info(title = "pyexec", description = "Runs untrusted Python, each time in a fresh interpreter."),
    paths(
        eval::eval,
        exec::sync,
        exec::run_async,
        executions::list,
        executions::status,
        executions::kill,
        executions::events,
        executions::file,
        service::health,
        service::metrics,
    ),
    components(schemas(api::EvalRequest, api::Metadata, api::ExecutionResult, api::ErrorBody)),
    modifiers(&Keys),
    security((), ("bearer" = []), ("key" = []), ("basic" = [])),
    tags(
        (name = "run", description = "Run code"),
        (name = "executions", description = "Look at, follow and kill executions"),
        (name = "service", description = "The server itself"),
    )
)]
struct Document;

/// The ways to give an API key.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let http = |scheme| SecurityScheme::Http(HttpBuilder::new().scheme(scheme).build());
        components.add_security_scheme("bearer", http(HttpAuthScheme::Bearer));
        components.add_security_scheme("basic", http(HttpAuthScheme::Basic));
        let header = ApiKey::Header(ApiKeyValue::new("X-API-Key"));
        components.add_security_scheme("key", SecurityScheme::ApiKey(header));
    }
}

/// `/docs/` and the document.
pub(super) fn docs() -> Router<Arc<App>> {
    SwaggerUi::new("/docs").config(Config::from(DOCUMENT)).url(DOCUMENT, Document::openapi()).into()
}
