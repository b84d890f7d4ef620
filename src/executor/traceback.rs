//! Where a stopped job was: CPython's dump of a stack as the traceback that a Python programmer knows.

use crate::{Limits, Project, outcome::StopReason};
use std::{collections::HashMap, fmt::Write};

/// Formats `dump`, which has lines `  File "PATH", line N in NAME`, innermost frame first.
pub(crate) fn format(dump: &str, reason: &str, root: &str, project: &Project) -> String {
    let frames: Vec<_> = dump.lines().filter_map(frame).collect();
    if frames.is_empty() {
        return format!("pyexec: {reason}\n");
    }
    let mut text = String::from("Traceback (most recent call last):\n");
    let mut sources: HashMap<&str, Option<String>> = HashMap::new();
    for (path, line, name) in frames.into_iter().rev() {
        let _ = writeln!(text, "  File \"{path}\", line {line}, in {name}");
        let source = sources.entry(path).or_insert_with(|| {
            let relative = path.strip_prefix(root)?.strip_prefix('/')?;
            project.read(relative).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        });
        let line = source.as_deref().and_then(|source| source.lines().nth(line.checked_sub(1)?)).map(str::trim);
        if let Some(line) = line.filter(|line| !line.is_empty()) {
            let _ = writeln!(text, "    {line}");
        }
    }
    let _ = writeln!(text, "pyexec: {reason}");
    text
}

/// Says why a job was stopped, with the limit.
pub(crate) fn explain(reason: &StopReason, limits: &Limits) -> String {
    match reason {
        StopReason::TimeLimit => format!("time limit of {} s exceeded", limits.wall_clock_ms as f64 / 1000.0),
        StopReason::CpuLimit => format!("CPU budget of {} fuel exceeded", limits.cpu_fuel.unwrap_or_default()),
        StopReason::MemoryLimit => format!("memory limit of {} MiB exceeded", limits.memory_bytes >> 20),
        StopReason::StackOverflow | StopReason::Crashed(_) => reason.to_string(),
    }
}

fn frame(line: &str) -> Option<(&str, usize, &str)> {
    let rest = line.trim_start().strip_prefix("File \"")?;
    let (path, rest) = rest.split_once("\", line ")?;
    let (number, name) = rest.split_once(" in ")?;
    // What stands in for C code, or calls the job, is as invisible as it.
    let ours = path.starts_with("/usr/lib/python3.14/_pyexec_") || path.starts_with("<pyexec");
    (!ours).then_some((path, number.parse().ok()?, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_becomes_a_traceback_with_source_lines() {
        let project = Project::script("def f():\n    while True: pass\nf()\n");
        let dump = "Stack (most recent call first):\n  File \"/work/main.py\", line 2 in f\n  File \"/work/main.py\", line 3 in <module>\n";
        assert_eq!(
            format(dump, "time limit of 1 s exceeded", "/work", &project),
            "Traceback (most recent call last):\n  File \"/work/main.py\", line 3, in <module>\n    f()\n  File \
             \"/work/main.py\", line 2, in f\n    while True: pass\npyexec: time limit of 1 s exceeded\n"
        );
    }

    #[test]
    fn frames_of_ours_are_left_out() {
        let dump = "  File \"/usr/lib/python3.14/_pyexec_linux.py\", line 300 in select\n  File \"/work/main.py\", line 1 in <module>\n";
        let text = format(dump, "time limit of 1 s exceeded", "/work", &Project::script("wait()\n"));
        assert!(!text.contains("_pyexec_") && text.contains("wait()"), "{text}");
    }

    #[test]
    fn without_frames_the_reason_remains() {
        assert_eq!(format("<nonsense>", "stack overflow", "/work", &Project::script("")), "pyexec: stack overflow\n");
    }
}
