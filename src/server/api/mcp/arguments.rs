//! What a model sends to the tool. It reads what is wrong, and sends it again.

use crate::{
    Requirements,
    config::Settings,
    server::{api::CodeFile, members::Members},
};
use bytes::Bytes;
use rmcp::model::JsonObject;

/// Stands for a session that is to be made.
pub(super) const NEW: &str = "new";

/// What one call gets.
pub(super) struct Arguments {
    pub(super) code: String,
    pub(super) files: Vec<(String, Bytes)>,
    pub(super) stdin: String,
    pub(super) requirements: Requirements,
    pub(super) network: Option<bool>,
    pub(super) timeout_seconds: Option<f64>,
    pub(super) session: Place,
    pub(super) warnings: Vec<String>,
}

/// Where code runs.
pub(super) enum Place {
    /// In an interpreter of its own, which ends with it.
    Alone,
    /// In a session that is made for it.
    New,
    /// In this session.
    Session(String),
}

impl Arguments {
    /// Reads them; an error says what is wrong.
    pub(super) fn read(arguments: Option<JsonObject>, settings: &Settings) -> Result<Arguments, String> {
        let json = serde_json::Value::Object(arguments.unwrap_or_default()).to_string();
        let mut members = Members::of(&json)?;
        let mut warnings = Vec::new();
        let code = members.text("code")?;
        let files = CodeFile::read_all(&mut members, &mut warnings)?;
        let requirements = members.texts("requirements")?;
        let requirements = Requirements::from_list(requirements.iter().map(String::as_str));
        let arguments = Arguments {
            stdin: members.text("stdin")?,
            requirements: requirements.map_err(|e| format!("requirements: {e}"))?,
            network: members.take("network")?,
            timeout_seconds: members.number("timeout_seconds")?,
            session: match members.text("session")? {
                none if none.is_empty() => Place::Alone,
                new if new == NEW => Place::New,
                id => Place::Session(id),
            },
            files: Vec::new(),
            code,
            warnings: Vec::new(),
        };
        members.unknown((&[], ""), &mut warnings)?;
        if arguments.code.is_empty() {
            return Err("code is missing: send the Python to run".to_owned());
        }
        let Settings { code_max_bytes, files_max_bytes, .. } = *settings;
        if arguments.code.len() > code_max_bytes {
            let bytes = arguments.code.len();
            return Err(format!("code has {bytes} bytes, and may have {code_max_bytes}: send the rest as files"));
        }
        let all: usize = files.iter().map(CodeFile::len).sum();
        if all > files_max_bytes {
            return Err(format!("files have {all} bytes, and may have {files_max_bytes} together"));
        }
        let files = files.into_iter().map(|file| (file.name.clone(), file.into_bytes())).collect();
        Ok(Arguments { files, warnings, ..arguments })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(arguments: Value) -> Result<Arguments, String> {
        let settings = Settings::without_server([]).unwrap();
        Arguments::read(arguments.as_object().cloned(), &settings)
    }

    fn problem(arguments: Value) -> String {
        read(arguments).map(|_| ()).unwrap_err()
    }

    #[test]
    fn what_is_wrong_is_said_in_words() {
        assert_eq!(problem(json!({})), "code is missing: send the Python to run");
        assert!(problem(json!({"code": 5})).starts_with("code"));
        assert!(problem(json!({"code": "1", "requirements": "numpy"})).starts_with("requirements"));
        assert!(problem(json!({"code": "1", "requirements": ["-r x"]})).starts_with("requirements: "));
        assert!(problem(json!({"code": "1", "sesion": "new"})).contains("session"));
        assert!(problem(json!({"code": "x".repeat(200_000)})).contains("102400"));
        assert!(problem(json!({"code": "1", "files": [{"content": "x"}]})).contains("name"));
    }

    #[test]
    fn all_of_it_is_read() {
        let read = read(json!({
            "code": "1", "session": "new", "stdin": "in", "network": true, "timeout_seconds": 1.5,
            "requirements": ["humanize"], "files": [{"name": "a", "content_base64": "AAE="}], "language": "python",
        }))
        .unwrap();
        assert!(matches!(read.session, Place::New));
        assert_eq!((read.network, read.timeout_seconds, &*read.stdin), (Some(true), Some(1.5), "in"));
        assert_eq!(read.files, [("a".to_owned(), Bytes::from_static(&[0, 1]))]);
        assert_eq!(read.warnings.len(), 1, "{:?}", read.warnings);
    }
}
