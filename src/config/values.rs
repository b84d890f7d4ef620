//! Values whose form is more than a number or a path.

use super::{LogFormat, Settings, api_keys};
use std::net::{IpAddr, Ipv4Addr};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

pub(super) const HOST: &str = "an IP address, or localhost";
pub(super) const LEVELS: &str = "error, warn, info, debug, trace, off";
pub(super) const KEY_LENGTH: &str = "each at least 16 characters";
pub(super) const ORIGINS: &str = "*, or as in https://example.org:8443";
pub(super) const HOSTS: &str = "each a name or an address without a port, or * for any";
pub(super) const FORMATS: &str = "human or json";

pub(super) fn host(settings: &mut Settings, text: &str) -> Result<(), String> {
    settings.host = match text {
        "localhost" => Ipv4Addr::LOCALHOST.into(),
        _ => text.parse().map_err(|_| format!("allowed: {HOST}; 0.0.0.0 or :: for all of this machine's"))?,
    };
    Ok(())
}

pub(super) fn log_level(settings: &mut Settings, text: &str) -> Result<(), String> {
    // Levels of other loggers.
    let text = match text.to_ascii_lowercase().as_str() {
        "warning" => "warn",
        "fatal" | "panic" => "error",
        _ => text,
    };
    for directive in text.split(',') {
        // The filter would take a misspelled level for the name of a target, and log nothing else.
        if directive.is_empty() || !directive.contains(['=', '[']) && directive.parse::<LevelFilter>().is_err() {
            return Err(format!("allowed: {LEVELS}; or TARGET=LEVEL, several separated by commas"));
        }
    }
    EnvFilter::builder().parse(text).map_err(|e| format!("{e}; allowed levels: {LEVELS}"))?;
    text.clone_into(&mut settings.log_level);
    Ok(())
}

pub(super) fn log_format(settings: &mut Settings, text: &str) -> Result<(), String> {
    settings.log_format = match text {
        "human" => LogFormat::Human,
        "json" => LogFormat::Json,
        _ => return Err(format!("allowed: {FORMATS}")),
    };
    Ok(())
}

pub(super) fn keys(settings: &mut Settings, entries: &[&str]) -> Result<(), String> {
    let places = entries.iter().enumerate().map(|(index, entry)| (format!("key {}", index + 1), *entry));
    api_keys::add(&mut settings.api_keys, places)
}

pub(super) fn cors_origins(settings: &mut Settings, entries: &[&str]) -> Result<(), String> {
    for entry in entries {
        let origin = entry.to_ascii_lowercase();
        let rest = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let host = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        if origin != "*" && !rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(host)) {
            return Err(format!("{entry:?} is no origin; allowed: {ORIGINS}"));
        }
        settings.cors_origins.push(origin);
    }
    Ok(())
}

pub(super) fn allowed_hosts(settings: &mut Settings, entries: &[&str]) -> Result<(), String> {
    for entry in entries {
        let host = entry.to_ascii_lowercase();
        let fits = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        let is_address = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        if host != "*" && !is_address && (host.is_empty() || !host.chars().all(fits)) {
            return Err(format!("{entry:?} is none; allowed: {HOSTS}"));
        }
        settings.allowed_hosts.push(host);
    }
    Ok(())
}
