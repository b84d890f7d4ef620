//! Flags before the subcommand.
//!
//! `pyexec --server URL run x.py` has always been said for `pyexec run --server URL x.py`.

use std::ffi::{OsStr, OsString};

const WITH_VALUE: [&str; 7] = ["--server", "--api-key", "--timeout", "--memory", "--disk", "--cpu", "--image"];
const WITHOUT_VALUE: [&str; 7] = ["--network", "--async", "--quiet", "--verbose", "--json", "-q", "-v"];

/// The arguments, with flags of a subcommand moved behind it. Others are left where they are.
pub(crate) fn flags_behind_subcommand(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<_> = arguments.into_iter().collect();
    let mut at = 1;
    while let Some(width) = arguments.get(at).and_then(|argument| width(argument)) {
        at += width;
    }
    let verb = arguments.get(at).is_some_and(|argument| !argument.as_encoded_bytes().starts_with(b"-"));
    if verb && let Some(flags) = arguments.get_mut(1..=at) {
        flags.rotate_right(1);
    }
    arguments
}

/// How many arguments a flag takes up, itself included.
fn width(argument: &OsStr) -> Option<usize> {
    let argument = argument.to_str()?;
    if WITHOUT_VALUE.contains(&argument) {
        return Some(1);
    }
    match argument.split_once('=') {
        Some((name, _)) => WITH_VALUE.contains(&name).then_some(1),
        None => WITH_VALUE.contains(&argument).then_some(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reordered(line: &str) -> String {
        let arguments = flags_behind_subcommand(line.split(' ').map(OsString::from));
        arguments.iter().map(|argument| argument.to_str().expect("UTF-8")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn flags_of_a_subcommand_may_come_first() {
        assert_eq!(reordered("pyexec --server u -q run x --entrypoint y"), "pyexec run --server u -q x --entrypoint y");
        assert_eq!(reordered("pyexec --image run --timeout=3 eval 1"), "pyexec eval --image run --timeout=3 1");
    }

    #[test]
    fn everything_else_stays_in_place() {
        for line in ["pyexec", "pyexec run -q x", "pyexec --help", "pyexec --server", "pyexec -q", "pyexec --what run"]
        {
            assert_eq!(reordered(line), line);
        }
    }
}
