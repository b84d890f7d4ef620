//! From code to what came of it.

use super::wire::{self, CodeRequest};
use crate::{
    Job, Requirements,
    blocking::blocking,
    needs::{Names, Needs},
    server::{
        App,
        api::{Config, validation::Refused},
        auth::Caller,
        error::{ApiError, Problem},
        members::{shown, utf8},
        request,
        run::Waiting,
        submit::result,
    },
};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Stands among the modules that are allowed for all there are.
const ANY_MODULE: &str = "*";

/// Runs code that the policy has nothing against, and waits for the result.
pub(crate) async fn execute(app: &Arc<App>, caller: &Caller, json: &[u8]) -> Result<Response, Refused> {
    let started = Instant::now();
    let CodeRequest { code, language, execution_id, timeout, max_memory_mb } = CodeRequest::read(&utf8(json))?;
    if language != "python" {
        let detail = format!("Language {} not supported", shown(&language));
        return Err(Refused::new(StatusCode::BAD_REQUEST, detail));
    }
    let (bytes, most) = (code.len(), app.settings.code_max_bytes);
    if bytes > most {
        let message = format!("the code has {bytes} bytes, more than the limit of {most}");
        return Err(ApiError::new(Problem::TooLarge, message).into());
    }
    let names = blocking({
        let code = code.clone();
        move || Names::of(&code)
    });
    let names = names.await.map_err(|_| ApiError::new(Problem::Unavailable, "reading the code failed"))?;
    let policy = &app.settings.code_policy;
    // What cannot be looked through is not known to be harmless.
    if !policy.is_empty() && names.as_ref().is_none_or(|names| names.refused(policy).is_some()) {
        return Err(Refused::new(StatusCode::BAD_REQUEST, "Unsafe code detected"));
    }
    let config = Config {
        timeout_seconds: timeout.map(|seconds| seconds as f64),
        memory_mb: max_memory_mb.map(|megabytes| megabytes as f64),
        ..Config::default()
    };
    let limits = request::call_limits(Some(config), app, &mut Vec::new());
    let job = with_modules(Job::code(code), names.as_ref(), &app.settings.code_modules);
    let request = request::foreign(job, limits, Waiting::Yes, bytes, app).await;
    let record = result(app, caller, request, None).await?;
    let Some(end) = record.end.clone() else { return Err(ApiError::no_execution().into()) };
    let id = execution_id.unwrap_or_else(|| record.id.trim_start_matches("exe_").to_owned());
    let timeout = Duration::from_millis(limits.wall_clock_ms);
    Ok(Json(wire::result(id, end, started.elapsed(), timeout)).into_response())
}

/// Has those modules there that the code imports and may import. Others are missing, as in the service.
fn with_modules(job: Job, names: Option<&Names>, allowed: &[String]) -> crate::Result<Job> {
    if allowed.iter().any(|module| module == ANY_MODULE) {
        return Ok(job);
    }
    let imported = names.map(Names::modules).unwrap_or_default();
    let wanted = imported.into_iter().filter(|module| allowed.iter().any(|allowed| allowed == module));
    let distributions: Vec<String> = wanted
        .filter(|module| !Needs::is_standard(module))
        .map(|module| Needs::distribution_of(module).unwrap_or_else(|| module.to_owned()))
        .collect();
    let requirements = Requirements::default().merge(distributions.iter().map(String::as_str))?;
    Ok(job.detect_packages(false).requirements(requirements))
}
