//! Services whose clients are answered, and what a server takes over from one that it stands in for.

use super::Settings;

pub(super) const SERVICES: &str = "auto, sessions, main or code-executor";
pub(super) const RULES: &str = "each a name such as os.system or subprocess, which may end in *";
pub(super) const CODE_MODULES: &str = "each the name of a module, or * for any";

/// A header of HTTP, and how to write it.
pub(super) const HEADER: &str = "the name of a header";

/// The service that a server stands in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Service {
    /// All of them: what a request has in it says which.
    #[default]
    Auto,
    /// Sessions that clients name, with files and packages.
    Sessions,
    /// Scripts with a function `main`.
    Main,
    /// Code, checked against a policy first.
    CodeExecutor,
}

impl Service {
    pub(super) fn of(text: &str) -> Option<Service> {
        match text {
            "auto" => Some(Service::Auto),
            "sessions" => Some(Service::Sessions),
            "main" => Some(Service::Main),
            "code-executor" => Some(Service::CodeExecutor),
            _ => None,
        }
    }

    /// Returns the settings that are other than usual by default: names and values.
    pub(super) fn defaults(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Service::Auto => &[],
            Service::Sessions => &[
                ("port", "8000"),
                ("default_memory_mb", "256"),
                ("default_cpu_shares", "512"),
                // As long as its tasks can be asked for.
                ("cleanup_ttl", "3600"),
            ],
            Service::Main => &[("default_timeout", "5"), ("default_memory_mb", "50")],
            Service::CodeExecutor => &[
                ("port", "8000"),
                ("default_memory_mb", "4096"),
                ("max_timeout", "600"),
                ("default_output_bytes", "10485760"),
            ],
        }
    }

    /// Returns its own variables, each with the setting that it stands for.
    pub(super) fn variables(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Service::Auto | Service::Main => &[],
            Service::Sessions => &[
                ("API_KEY", "api_keys"),
                ("API_KEY_NAME", "api_key_header"),
                ("BASE_SESSION_PATH", "data_dir"),
                ("BASE_IMAGE_NAME", "default_image"),
            ],
            Service::CodeExecutor => &[
                ("EXECUTION_TIMEOUT", "default_timeout"),
                ("MAX_MEMORY_MB", "default_memory_mb"),
                ("MAX_OUTPUT_SIZE", "default_output_bytes"),
                ("ALLOWED_MODULES", "code_modules"),
            ],
        }
    }

    /// Returns its variables that change nothing here.
    pub(super) fn without_effect(self) -> &'static [&'static str] {
        match self {
            Service::Auto | Service::Main => &[],
            Service::Sessions => {
                &["REDIS_URL", "S3_BUCKET_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"]
            }
            Service::CodeExecutor => &["BYPASS_SETUP"],
        }
    }
}

pub(super) fn service(settings: &mut Settings, text: &str) -> Result<(), String> {
    settings.service = Service::of(text).ok_or_else(|| format!("allowed: {SERVICES}"))?;
    Ok(())
}

pub(super) fn code_policy(settings: &mut Settings, entries: &[&str]) -> Result<(), String> {
    let fits = |rule: &str| is_dotted(rule.strip_suffix('*').map_or(rule, |start| start.trim_end_matches('.')));
    if let Some(entry) = entries.iter().find(|entry| !fits(entry)) {
        return Err(format!("{entry:?} is none; allowed: {RULES}"));
    }
    settings.code_policy = owned(entries);
    Ok(())
}

pub(super) fn code_modules(settings: &mut Settings, entries: &[&str]) -> Result<(), String> {
    if let Some(entry) = entries.iter().find(|entry| **entry != "*" && !is_dotted(entry)) {
        return Err(format!("{entry:?} is none; allowed: {CODE_MODULES}"));
    }
    settings.code_modules = owned(entries);
    Ok(())
}

pub(super) fn api_key_header(settings: &mut Settings, text: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.is_empty() || text.len() > 100 || !text.chars().all(fits) {
        return Err(format!("allowed: {HEADER}"));
    }
    settings.api_key_header = text.to_ascii_lowercase();
    Ok(())
}

fn is_dotted(name: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    name.split('.').all(part)
}

fn owned(entries: &[&str]) -> Vec<String> {
    entries.iter().map(|&entry| entry.to_owned()).collect()
}
