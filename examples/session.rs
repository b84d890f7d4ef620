//! Runs an agent's loop: a session with two tools that is forked, ended with its process, and gone on with.
//!
//! `cargo run --release --example session`

use pyexec::{
    Job, Pyexec, Result,
    executor::{Tool, ToolDesk, ToolError, ToolResult, tools},
    sessions::{Cell, Sessions, SessionsOptions},
};
use serde_json::json;

/// Answers calls of tools until the call has ended.
async fn answer(mut desk: ToolDesk) {
    while let Some(calls) = desk.calls.recv().await {
        for call in calls {
            let end = match &*call.name {
                "price" => Ok(json!({"apple": 3, "pear": 4}).into()),
                "now" => Ok(json!("2026-01-01T12:00").into()),
                other => Err(ToolError::new(format!("no tool {other}"))),
            };
            // The call has ended when nobody takes it.
            let _ = desk.results.send(ToolResult::new(call.id, end));
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let folder = std::env::temp_dir().join("pyexec-example-sessions");
    let mut options = SessionsOptions::default();
    options.folder = Some(folder);
    let sessions = Sessions::open(Pyexec::new()?, options)?;
    let session = sessions.create("me", Job::session()).await?;
    for code in ["prices = price()", "at = now()\nsum(prices.values())"] {
        let (port, desk) = tools(vec![Tool::new("price"), Tool::new("now")])?;
        let cell = Cell::new(code).tools(port);
        let (end, ()) = tokio::join!(sessions.call("me", &session.id, cell), answer(desk));
        println!("{code:?} is {:?}", end?.outcome.result);
    }
    let fork = sessions.fork("me", &session.id).await?;
    sessions.call("me", &fork.id, Cell::new("prices['plum'] = 5")).await?;
    sessions.freeze_all().await;
    for id in [&session.id, &fork.id] {
        let end = sessions.call("me", id, Cell::new("sorted(prices), at")).await?;
        println!("{id}: {}", end.outcome.result.unwrap_or_default());
        sessions.remove("me", id).await?;
    }
    Ok(())
}
