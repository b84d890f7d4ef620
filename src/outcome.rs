//! What happened to a job. A script that fails is an [`Outcome`], never an `Err`.

use crate::workspaces::WorkspaceChanges;
use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use std::{collections::BTreeMap, fmt};

/// Deepest nesting of a value as JSON. Python's own parser counts each level as a call, of which it allows 1,000 with those of
/// the program around it.
const JSON_DEPTH_MAX: usize = 900;

/// Frames of an exception, as many as the guest and the runner tell, and the length of their names.
const FRAMES_MAX: usize = 50;
const FRAME_NAME_BYTES_MAX: usize = 1000;

/// The result of running a [`Job`](crate::Job) to its end, whichever end that was.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// How it ended.
    #[serde(flatten)]
    pub ending: Ending,
    /// Standard output.
    pub stdout: Output,
    /// Standard error. Of a job that was stopped it ends with the Python traceback of where that was.
    pub stderr: Output,
    /// `repr` of the last expression, or of what the called function returned; only when asked for.
    pub result: Option<String>,
    /// The same value as JSON, when JSON can say the same, and in at most 900 levels.
    pub result_json: Option<JsonText>,
    /// The uncaught exception that ended the script.
    pub exception: Option<Exception>,
    /// Limits that the job ran into, whether or not it survived that.
    pub limits_hit: Vec<LimitHit>,
    /// Things the job asked for that only a full Linux has.
    pub capability_misses: Vec<CapabilityMiss>,
    /// The job ended in an exception that is, or was caused by, one of [`Outcome::capability_misses`].
    pub ended_in_miss: bool,
    /// What it used.
    pub usage: Usage,
    /// Rich results.
    pub outputs: Vec<RichOutput>,
    /// What a call of a session has shown, in order: its value, figures, and what it gave to `display()`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub displays: Vec<Display>,
    /// Files that the job made or changed in its project directory, and what it left in `/tmp`; only when asked for.
    pub files: Vec<OutputFile>,
    /// Files of its project that it has deleted, by their paths there; only when files are asked for.
    #[serde(skip)]
    pub deleted_files: Vec<String>,
    /// Files that it made or changed and that are too large to come back; only when files are asked for.
    #[serde(skip)]
    pub uncollected: Vec<String>,
    /// What became of its workspace, if it ran in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<WorkspaceChanges>,
    /// Which tier ran it.
    pub tier: Tier,
    /// Why that tier, in words.
    pub route_reason: String,
}

impl Outcome {
    /// Describes a job that ended so on `tier`, and did nothing else.
    pub fn new(ending: Ending, tier: Tier) -> Outcome {
        Outcome {
            ending,
            stdout: Output::default(),
            stderr: Output::default(),
            result: None,
            result_json: None,
            exception: None,
            limits_hit: Vec::new(),
            capability_misses: Vec::new(),
            ended_in_miss: false,
            usage: Usage::default(),
            outputs: Vec::new(),
            displays: Vec::new(),
            files: Vec::new(),
            deleted_files: Vec::new(),
            uncollected: Vec::new(),
            workspace: None,
            tier,
            route_reason: String::new(),
        }
    }

    /// Describes a job that could not be run on `tier`, as a script that printed why and exited.
    pub fn failed(exit_code: u8, message: impl Into<String>, tier: Tier, route_reason: impl Into<String>) -> Outcome {
        let message = message.into();
        let text = format!("{}\n", message.trim_end());
        let stderr = Output { bytes: text.len() as u64, text, truncated: false };
        let route_reason = route_reason.into();
        Outcome { stderr, route_reason, ..Outcome::new(Ending::Failed { exit_code, message }, tier) }
    }

    /// Returns whether the script ran to its end and exited with 0.
    pub fn success(&self) -> bool {
        matches!(self.ending, Ending::Exited { exit_code: 0 })
    }

    /// Returns the outcome of a script that succeeded, for callers to whom another one is an error.
    ///
    /// ```no_run
    /// # fn example(pyexec: &pyexec::Pyexec) -> Result<(), Box<dyn std::error::Error>> {
    /// let outcome = pyexec.run_blocking(pyexec::Job::code("print(1 / 0)"))?.check();
    /// assert_eq!(outcome.unwrap_err().to_string(), "the script exited with 1: ZeroDivisionError: division by zero");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When it failed, was stopped or could not run: how it ended, in words, with the outcome.
    pub fn check(self) -> Result<Outcome, Failure> {
        if self.success() { Ok(self) } else { Err(Failure(Box::new(self))) }
    }

    /// Parses the value that [`Job::want`](crate::Job::want) asked for.
    ///
    /// ```no_run
    /// # fn example(pyexec: &pyexec::Pyexec) -> Result<(), Box<dyn std::error::Error>> {
    /// use pyexec::{Job, Want};
    ///
    /// let job = Job::code("[n * n for n in range(4)]").want(Want::LastExpression);
    /// let squares: Vec<u32> = pyexec.run_blocking(job)?.check()?.result()?;
    /// assert_eq!(squares, [0, 1, 4, 9]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When there is no value, JSON cannot say it, or it is not a `T`.
    pub fn result<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        let missing = |what: &str| serde::de::Error::custom(what);
        match (&self.result_json, &self.result) {
            (Some(json), _) => json.parse(),
            (None, Some(_)) => Err(missing("JSON cannot say the value of the script: see its repr")),
            (None, None) => Err(missing("the script has no value: ask for one, and see whether it succeeded")),
        }
    }
}

/// An outcome other than success, as an error.
#[derive(Debug, Clone)]
pub struct Failure(Box<Outcome>);

impl Failure {
    /// Returns the outcome.
    pub fn outcome(&self) -> &Outcome {
        &self.0
    }

    /// Takes the outcome.
    pub fn into_outcome(self) -> Outcome {
        *self.0
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.ending, &self.0.exception) {
            (Ending::Exited { exit_code }, None) => write!(f, "the script exited with {exit_code}"),
            (Ending::Exited { exit_code }, Some(Exception { kind, message, .. })) => {
                write!(f, "the script exited with {exit_code}: {kind}")?;
                if message.is_empty() { Ok(()) } else { write!(f, ": {message}") }
            }
            (Ending::Stopped { reason }, _) => write!(f, "the script was stopped: {reason}"),
            (Ending::Failed { message, .. }, _) => f.write_str(message.trim_end()),
        }
    }
}

impl std::error::Error for Failure {}

/// Says how a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "ending")]
pub enum Ending {
    /// The script ended, well or with an exception.
    Exited {
        /// As a shell would see it.
        exit_code: u8,
    },
    /// The job was stopped.
    Stopped {
        /// Why.
        reason: StopReason,
    },
    /// The script never ran: its entry point, image, packages or commands cannot be had.
    Failed {
        /// That of the command that failed, or 1.
        exit_code: u8,
        /// What is wrong and how to mend it; standard error has it as well.
        message: String,
    },
}

/// Says why a job was stopped before its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopReason {
    /// The wall clock limit.
    TimeLimit,
    /// The CPU budget.
    CpuLimit,
    /// Memory, in a way that Python could not turn into a `MemoryError`.
    MemoryLimit,
    /// Recursion in C code that went past every check.
    StackOverflow,
    /// The interpreter crashed; the text says where.
    Crashed(String),
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StopReason::TimeLimit => f.write_str("time limit exceeded"),
            StopReason::CpuLimit => f.write_str("CPU budget exceeded"),
            StopReason::MemoryLimit => f.write_str("memory limit exceeded"),
            StopReason::StackOverflow => f.write_str("stack overflow"),
            StopReason::Crashed(what) => write!(f, "the interpreter crashed: {what}"),
        }
    }
}

/// A limit that a job ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LimitHit {
    /// [`Limits::wall_clock_ms`](crate::Limits::wall_clock_ms)
    WallClock,
    /// [`Limits::cpu_fuel`](crate::Limits::cpu_fuel)
    Cpu,
    /// [`Limits::memory_bytes`](crate::Limits::memory_bytes)
    Memory,
    /// [`Limits::disk_bytes`](crate::Limits::disk_bytes)
    DiskBytes,
    /// [`Limits::disk_files`](crate::Limits::disk_files)
    DiskFiles,
    /// [`Limits::output_bytes`](crate::Limits::output_bytes), on stdout or stderr
    Output,
    /// The interpreter's stack
    Stack,
    /// Processes and threads of a job in a container:
    /// [`DockerOptions::pids_max`](crate::executor::docker::DockerOptions::pids_max)
    Processes,
}

/// Holds what was kept of an output stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Output {
    /// The text; bytes that are not UTF-8 are replaced by U+FFFD. When truncated, its head and tail with a line between
    /// them that says how many bytes are missing.
    pub text: String,
    /// Whether something was dropped.
    pub truncated: bool,
    /// All that was written, in bytes.
    pub bytes: u64,
}

impl Exception {
    /// Describes an exception of which only the class and the message are known.
    pub fn new(kind: impl Into<String>, message: impl Into<String>) -> Exception {
        Exception { kind: kind.into(), message: message.into(), line: None, frames: Vec::new() }
    }
}

impl OutputFile {
    /// Makes a file with this content.
    pub fn new(path: impl Into<String>, content: impl Into<Bytes>) -> OutputFile {
        OutputFile { path: path.into(), content: content.into() }
    }
}

impl Output {
    /// Makes what was kept of a stream to which so many bytes were written.
    pub fn new(text: impl Into<String>, bytes: u64, truncated: bool) -> Output {
        Output { text: text.into(), truncated, bytes }
    }

    /// Adds a line of the service's own, which no limit cuts.
    pub(crate) fn add_line(&mut self, line: &str) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.text.push_str(line);
        self.text.push('\n');
        self.bytes += line.len() as u64 + 1;
    }
}

/// Valid JSON as the program's interpreter wrote it: integers of any size, keys in their order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JsonText(Box<RawValue>);

impl JsonText {
    /// Checks a text, and takes it as it is; `None` when it is not JSON, or nested too deeply.
    pub fn new(text: String) -> Option<JsonText> {
        let text = RawValue::from_string(text).ok().map(JsonText)?;
        (depth(text.as_str()) <= JSON_DEPTH_MAX).then_some(text)
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Returns whether it is nested no deeper than may be.
    pub(crate) fn is_shallow(&self) -> bool {
        depth(self.as_str()) <= JSON_DEPTH_MAX
    }

    /// Returns whether a function can be called with it: a list, an object, or null for no arguments.
    pub(crate) fn is_arguments(&self) -> bool {
        self.as_str() == "null" || self.as_str().starts_with(['[', '{'])
    }

    /// Parses the text.
    ///
    /// # Errors
    ///
    /// When the value is not a `T`, which may have narrower limits on numbers and depth than JSON.
    pub fn parse<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.as_str())
    }
}

impl From<serde_json::Value> for JsonText {
    fn from(value: serde_json::Value) -> JsonText {
        // A tree of values is always JSON.
        JsonText(serde_json::value::to_raw_value(&value).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }
}

impl PartialEq for JsonText {
    fn eq(&self, other: &JsonText) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for JsonText {}

/// Returns how deeply arrays and objects are nested in valid JSON.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut is_escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// An uncaught Python exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Exception {
    /// Class name.
    pub kind: String,
    /// `str()` of it.
    pub message: String,
    /// Line of the outermost frame in the submitted script.
    pub line: Option<u32>,
    /// Frames of the submitted code in its traceback, the innermost last: where it came up.
    pub frames: Vec<ErrorFrame>,
}

/// A frame of a traceback, in a file of the project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct ErrorFrame {
    /// Path of the file in the project.
    pub file: String,
    /// Line in it, from 1.
    pub line: u32,
    /// Name of the function; of code outside of functions `<module>`.
    pub function: String,
}

impl ErrorFrame {
    /// Reads frames as a job reports them: file, line and function of each, with NUL between all of them.
    pub(crate) fn read_all(report: &str) -> Vec<ErrorFrame> {
        let mut fields = report.split('\0');
        let next = || {
            let (file, line, function) = (fields.next()?, fields.next()?, fields.next()?);
            let cut = |text: &str| text[..text.floor_char_boundary(FRAME_NAME_BYTES_MAX)].to_owned();
            Some(ErrorFrame { file: cut(file), line: line.parse().ok()?, function: cut(function) })
        };
        std::iter::from_fn(next).take(FRAMES_MAX).collect()
    }
}

/// Something that only a full Linux has: a thread, a socket, a process, a native module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct CapabilityMiss {
    /// One of `thread`, `process`, `socket`, `network`, `module`, `native module`, `library`, `signal`, `terminal`,
    /// `privilege`, `limits`, `file system`.
    pub kind: String,
    /// What exactly was asked for.
    pub detail: String,
}

/// Holds what a job used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Usage {
    /// Wall clock, in microseconds.
    pub wall_us: u64,
    /// Time not asleep and not waiting for input, in microseconds.
    pub cpu_us: u64,
    /// Fuel, deterministic for the same program and input.
    pub fuel: u64,
    /// The most memory the interpreter had, in bytes.
    pub peak_memory_bytes: u64,
    /// Bytes in the project directory and `/tmp` at the end.
    pub disk_bytes: u64,
}

/// A rich result, such as a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct RichOutput {
    /// Media type, such as `image/png`.
    pub mime: String,
    /// Name to show.
    pub name: String,
    /// Text as it is, anything else in base64.
    pub data: String,
}

/// Something that a call of a session shows, in all the formats that it has, as in Jupyter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Display {
    /// By media type: text as it is, what is not text in base64, and JSON as itself.
    #[cfg_attr(feature = "server", schema(value_type = std::collections::HashMap<String, serde_json::Value>))]
    pub data: BTreeMap<String, JsonText>,
    /// What is said of these formats, an object: the width of an image, for instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Object, required = false))]
    pub metadata: Option<JsonText>,
    /// Whether it is the value of the last expression.
    #[serde(default)]
    pub is_result: bool,
}

impl Display {
    pub(crate) fn new(data: BTreeMap<String, JsonText>, metadata: Option<JsonText>) -> Display {
        let metadata = metadata.filter(|it| it.as_str().starts_with('{') && it.as_str() != "{}" && it.is_shallow());
        Display { data, metadata, is_result: false }
    }

    /// Returns one of the formats that are text.
    pub fn text(&self, media_type: &str) -> Option<String> {
        self.data.get(media_type)?.parse().ok()
    }
}

/// A file of the project directory after the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OutputFile {
    /// Path relative to the project directory, with `/`, or an absolute path where it is elsewhere.
    pub path: String,
    /// The content.
    #[serde(skip)]
    pub content: Bytes,
}

/// An execution tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// CPython on WebAssembly, in this process.
    Wasm,
    /// A container.
    Docker,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_kept_as_it_was_written() {
        let text = r#"{"z": 100000000000000000000000000001, "a": [1.50, "\"[{"]}"#;
        let json = JsonText::new(text.to_owned()).expect("valid");
        assert_eq!((json.as_str(), serde_json::to_string(&json).expect("text")), (text, text.to_owned()));
        assert_eq!(depth(text), 2);
        for bad in ["", "[", "{\"a\": 1} 2", "NaN", "{1: 2}"] {
            assert_eq!(JsonText::new(bad.to_owned()), None, "{bad}");
        }
    }

    #[test]
    fn depth_is_bounded_where_pythons_parser_is() {
        let nested = |depth: usize| JsonText::new(format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
        assert!(nested(500).is_some() && nested(JSON_DEPTH_MAX).is_some());
        assert_eq!(nested(JSON_DEPTH_MAX + 1), None);
    }

    #[test]
    fn frames_are_read_and_bounded_whatever_a_job_reports() {
        let read = |report: &str| ErrorFrame::read_all(report);
        let frames = read("main.py\x003\0<module>\0lib/a.py\x007\0f");
        assert_eq!((frames.len(), frames[1].line, &*frames[1].file, &*frames[1].function), (2, 7, "lib/a.py", "f"));
        assert_eq!(read("").len() + read("a\0b\0c").len() + read("a\x001").len(), 0);
        let many = read(&"é\x001\0f\0".repeat(10_000).replace('é', &"é".repeat(800)));
        assert_eq!((many.len(), many[0].file.len()), (FRAMES_MAX, FRAME_NAME_BYTES_MAX));
    }

    #[test]
    fn an_outcome_other_than_success_is_an_error_in_words() {
        let ended = |ending| Outcome { ending, ..Outcome::failed(1, "no such image\n", Tier::Docker, "") };
        let words = |outcome: Outcome| outcome.check().map_or_else(|failure| failure.to_string(), |_| "-".to_owned());
        assert_eq!(words(Outcome::failed(1, "no such image\n", Tier::Docker, "")), "no such image");
        assert_eq!(words(ended(Ending::Exited { exit_code: 0 })), "-");
        assert_eq!(words(ended(Ending::Exited { exit_code: 3 })), "the script exited with 3");
        let stopped = ended(Ending::Stopped { reason: StopReason::TimeLimit });
        assert_eq!(words(stopped), "the script was stopped: time limit exceeded");
        let exception = |message: &str| {
            let (kind, message) = ("KeyError".to_owned(), message.to_owned());
            let exception = Some(Exception { kind, message, line: None, frames: Vec::new() });
            words(Outcome { exception, ..ended(Ending::Exited { exit_code: 1 }) })
        };
        assert_eq!(exception("'x'"), "the script exited with 1: KeyError: 'x'");
        assert_eq!(exception(""), "the script exited with 1: KeyError");
    }

    #[test]
    fn the_value_of_a_script_is_parsed_where_there_is_one() {
        let mut outcome = Outcome::failed(1, "", Tier::Wasm, "");
        assert!(outcome.result::<u8>().unwrap_err().to_string().contains("no value"));
        outcome.result = Some("{1}".to_owned());
        assert!(outcome.result::<u8>().unwrap_err().to_string().contains("repr"));
        outcome.result_json = JsonText::new("[1, 2]".to_owned());
        assert_eq!(outcome.result::<Vec<u8>>().unwrap(), [1, 2]);
        assert!(outcome.result::<String>().is_err());
    }

    #[test]
    fn a_job_that_could_not_run_says_why_on_stderr() {
        let outcome = Outcome::failed(100, "the command failed:\nE: no package\n", Tier::Docker, "has pre_commands");
        assert_eq!(outcome.stderr.text, "the command failed:\nE: no package\n");
        assert_eq!(outcome.stderr.bytes, 34);
        assert!(!outcome.success());
    }
}
