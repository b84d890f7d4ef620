//! What happened to a job. A script that fails is an [`Outcome`], never an `Err`.

use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// The result of running a [`Job`](crate::Job) to its end, whichever end that was.
#[derive(Debug, Clone, Serialize)]
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
    /// The same value as JSON, when it is JSON-able.
    pub result_json: Option<serde_json::Value>,
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
    /// Files that the job made or changed in its project directory; only when asked for.
    pub files: Vec<OutputFile>,
    /// Which tier ran it.
    pub tier: Tier,
    /// Why that tier, in words.
    pub route_reason: String,
}

impl Outcome {
    /// Whether the script ran to its end and exited with 0.
    pub fn success(&self) -> bool {
        matches!(self.ending, Ending::Exited { exit_code: 0 })
    }
}

/// How a job ended.
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
}

/// Why a job was stopped before its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
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
}

/// What was kept of an output stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Output {
    /// The text; bytes that are not UTF-8 are replaced by U+FFFD. When truncated, its head and tail with a line between
    /// them that says how many bytes are missing.
    pub text: String,
    /// Whether something was dropped.
    pub truncated: bool,
    /// All that was written, in bytes.
    pub bytes: u64,
}

impl Output {
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

/// An uncaught Python exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exception {
    /// Class name.
    pub kind: String,
    /// `str()` of it.
    pub message: String,
    /// Line of the outermost frame in the submitted script.
    pub line: Option<u32>,
}

/// Something that only a full Linux has: a thread, a socket, a process, a native module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CapabilityMiss {
    /// One of `thread`, `process`, `socket`, `network`, `module`, `library`, `signal`, `terminal`, `privilege`, `limits`, `file
    /// system`.
    pub kind: String,
    /// What exactly was asked for.
    pub detail: String,
}

/// What a job used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RichOutput {
    /// Media type, such as `image/png`.
    pub mime: String,
    /// Name to show.
    pub name: String,
    /// Text as it is, anything else in base64.
    pub data: String,
}

/// A file of the project directory after the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutputFile {
    /// Path relative to the project directory, with `/`.
    pub path: String,
    /// The content.
    #[serde(skip)]
    pub content: Vec<u8>,
}

/// An execution tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// CPython on WebAssembly, in this process.
    Wasm,
    /// A container.
    Docker,
}
