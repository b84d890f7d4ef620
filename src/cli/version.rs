//! `pyexec version`

use super::{
    Result,
    console::print,
    options::{ServerOptions, UnusedFlags},
};
use clap::Args;
use serde_json::Value;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    server: ServerOptions,

    #[command(flatten)]
    _unused: UnusedFlags,
}

pub(crate) fn run(arguments: &Arguments) -> Result<u8> {
    print(&format!("pyexec {}\nCPython {} (WebAssembly)\n", env!("CARGO_PKG_VERSION"), pyexec::PYTHON_VERSION))?;
    let Some(client) = arguments.server.named(false)? else { return Ok(0) };
    let health = client.health()?;
    print(&format!("{}: {}\n", client.url(), word(health.get("status").unwrap_or(&Value::Null))))?;
    for (name, value) in health.as_object().into_iter().flatten().filter(|(name, _)| *name != "status") {
        print(&format!("  {name}: {}\n", word(value)))?;
    }
    Ok(0)
}

fn word(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.chars().filter(|c| !c.is_control()).collect()
}
