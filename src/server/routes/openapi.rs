//! The OpenAPI document, made from the types, and Swagger UI to read it.

use super::{environments, eval, exec, execute, executions, service, sessions, workspaces};
use crate::server::{
    App,
    api::{self, session_service::routes as session_service},
};
use axum::Router;
use std::sync::Arc;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Header, RefOr, Schema, SecurityRequirement,
        path::Operation,
        schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, OneOfBuilder, SchemaType, Type},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_swagger_ui::{Config, SwaggerUi};

const DOCUMENT: &str = "/docs/doc.json";

/// The objects that clients send. All others come from the server.
const SENT: &[&str] = &["EvalRequest", "Metadata", "Common", "Config", "CodeFile", "EnvironmentRequest", "CodeRequest"];

#[derive(OpenApi)]
#[openapi(
    info(title = "pyexec", description = "Runs untrusted Python, each time in a fresh interpreter."),
    paths(
        eval::eval,
        eval::go_on,
        exec::sync,
        exec::run_async,
        executions::list,
        executions::status,
        executions::kill,
        executions::events,
        executions::file,
        environments::create,
        environments::list,
        environments::status,
        environments::remove,
        sessions::create,
        sessions::list,
        sessions::inspect,
        sessions::remove,
        sessions::call,
        sessions::go_on,
        sessions::interrupt,
        sessions::fork,
        sessions::checkpoints,
        sessions::checkpoint,
        sessions::roll_back,
        sessions::variables,
        sessions::complete,
        sessions::is_complete,
        sessions::inspect_code,
        sessions::files,
        sessions::read_file,
        sessions::write_file,
        sessions::remove_file,
        workspaces::create,
        workspaces::list,
        workspaces::inspect,
        workspaces::remove,
        workspaces::files,
        workspaces::read,
        workspaces::write,
        workspaces::delete,
        workspaces::unpack,
        workspaces::pack,
        execute::execute,
        session_service::install,
        session_service::status,
        session_service::upload,
        session_service::download,
        session_service::terminate,
        service::health,
        service::metrics,
    ),
    components(schemas(
        api::EvalRequest,
        api::Metadata,
        api::ExecutionResult,
        api::ErrorBody,
        api::validation::ForbiddenBody,
        api::validation::DetailBody
    )),
    modifiers(&Keys, &Nulls, &SomethingToRun, &RequestIds),
    security(("bearer" = []), ("key" = []), ("basic" = [])),
    tags(
        (name = "run", description = "Run code"),
        (name = "executions", description = "Look at, follow and kill executions"),
        (name = "environments", description = "Packages that are there before they are needed"),
        (name = "sessions", description = "Interpreters that live on between calls"),
        (name = "workspaces", description = "Files that outlive executions"),
        (name = "other services", description = "Run code for clients of other services"),
        (name = "sessions service", description = "Sessions that clients name, for clients of the sessions service"),
        (name = "service", description = "The server itself"),
    )
)]
struct Document;

/// `/docs/` and the document.
pub(super) fn docs(needs_key: bool) -> Router<Arc<App>> {
    let mut document = Document::openapi();
    if !needs_key {
        document.security.get_or_insert_default().insert(0, SecurityRequirement::default());
    }
    // Else it sends the document's address to a service elsewhere.
    let config = Config::from(DOCUMENT).validator_url("none").try_it_out_enabled(true);
    SwaggerUi::new("/docs").config(config).url(DOCUMENT, document).into()
}

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

/// Lets clients send null for what they may leave out; the server never sends it. The types cannot say so.
struct Nulls;

impl Modify for Nulls {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for (name, schema) in &mut document.components.get_or_insert_default().schemas {
            let change = if SENT.contains(&name.as_str()) { allow_null } else { forbid_null };
            change_optional(schema, change);
        }
    }
}

fn change_optional(schema: &mut RefOr<Schema>, change: fn(&mut RefOr<Schema>)) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            let optional = object.properties.iter_mut().filter(|(name, _)| !object.required.contains(name));
            optional.for_each(|(_, property)| change(property));
        }
        RefOr::T(Schema::AllOf(parts)) => parts.items.iter_mut().for_each(|part| change_optional(part, change)),
        RefOr::T(_) | RefOr::Ref(_) => {}
    }
}

fn allow_null(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => add_null(&mut object.schema_type),
        RefOr::T(Schema::Array(array)) => add_null(&mut array.schema_type),
        // It is optional in the types as well, and has null already.
        RefOr::T(_) => {}
        RefOr::Ref(_) => {
            let null = ObjectBuilder::new().schema_type(Type::Null);
            *schema = OneOfBuilder::new().item(schema.clone()).item(null).into();
        }
    }
}

fn add_null(types: &mut SchemaType) {
    if let SchemaType::Type(only) = types {
        *types = SchemaType::from_iter([only.clone(), Type::Null]);
    }
}

fn forbid_null(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => remove_null(&mut object.schema_type),
        RefOr::T(Schema::Array(array)) => remove_null(&mut array.schema_type),
        RefOr::T(Schema::OneOf(choice)) => {
            choice.items.retain(|item| !is_null(item));
            if let [only] = &choice.items[..] {
                *schema = only.clone();
            }
        }
        RefOr::T(_) | RefOr::Ref(_) => {}
    }
}

fn remove_null(types: &mut SchemaType) {
    if let SchemaType::Array(several) = types {
        several.retain(|one| *one != Type::Null);
        if let [only] = &several[..] {
            *types = SchemaType::Type(only.clone());
        }
    }
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    matches!(schema, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null))
}

/// An evaluation has code or files. The types cannot say so either.
struct SomethingToRun;

impl Modify for SomethingToRun {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let code = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1));
        let files = ArrayBuilder::new().min_items(Some(1));
        let with = |name: &str, schema: Schema| {
            ObjectBuilder::new().schema_type(SchemaType::AnyValue).property(name, schema).required(name)
        };
        let either = AnyOfBuilder::new()
            .item(with("code", code.build().into()))
            .item(with("files", files.build().into()))
            .description(Some("Code or files."));
        let schemas = &mut document.components.get_or_insert_default().schemas;
        if let Some(RefOr::T(Schema::AllOf(request))) = schemas.get_mut("EvalRequest") {
            request.items.push(Schema::from(either.build()).into());
        }
    }
}

/// Every answer has one.
struct RequestIds;

impl Modify for RequestIds {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for path in document.paths.paths.values_mut() {
            [&mut path.get, &mut path.post, &mut path.put, &mut path.delete]
                .into_iter()
                .flatten()
                .for_each(add_request_id);
        }
    }
}

fn add_request_id(operation: &mut Operation) {
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            let mut header = Header::default();
            header.description = Some("As sent, or a new one; also in the log".to_owned());
            response.headers.insert("X-Request-Id".to_owned(), header.into());
        }
    }
}
