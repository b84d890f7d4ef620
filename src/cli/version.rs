//! `pyexec version`

use super::{Result, options::ServerOptions};
use clap::Args;
use serde_json::Value;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    server: ServerOptions,
}

pub(crate) fn run(arguments: &Arguments) -> Result<u8> {
    println!("pyexec {}\nCPython {} (WebAssembly)", env!("CARGO_PKG_VERSION"), pyexec::PYTHON_VERSION);
    let Some(client) = arguments.server.named(false)? else { return Ok(0) };
    let health = client.health()?;
    println!("{}: {}", client.url(), word(health.get("status").unwrap_or(&Value::Null)));
    for (name, value) in health.as_object().into_iter().flatten().filter(|(name, _)| *name != "status") {
        println!("  {name}: {}", word(value));
    }
    Ok(0)
}

fn word(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.chars().filter(|c| !c.is_control()).collect()
}
