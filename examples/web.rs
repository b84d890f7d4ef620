//! An endpoint of one's own. Run it with `cargo run --release --example web`, then
//! `curl localhost:3000 --data 'sum(range(10))'`.

use axum::{Router, extract::State, http::StatusCode, routing::post};
use pyexec::{Job, Pyexec, Want};
use std::time::Duration;

/// Evaluates the body. A client that goes away drops this future, which ends the job.
async fn evaluate(State(pyexec): State<Pyexec>, code: String) -> Result<String, (StatusCode, String)> {
    let job = Job::code(code).want(Want::LastExpression).timeout(Duration::from_secs(5));
    let outcome = pyexec.run(job).await.map_err(|error| (StatusCode::BAD_REQUEST, format!("{error}\n")))?;
    match outcome.check() {
        Ok(outcome) => Ok(format!("{}{}\n", outcome.stdout.text, outcome.result.unwrap_or_default())),
        Err(failure) => Err((StatusCode::UNPROCESSABLE_ENTITY, format!("{failure}\n"))),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let router = Router::new().route("/", post(evaluate)).with_state(Pyexec::new()?);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}
