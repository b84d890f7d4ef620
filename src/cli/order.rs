//! Flags before the subcommand, and flags with a value of true or false.
//!
//! `pyexec --server URL run x.py` has always been said for `pyexec run --server URL x.py`, and `--network=true` for
//! `--network`.

use std::ffi::{OsStr, OsString};

const WITH_VALUE: [&str; 8] =
    ["--server", "--api-key", "--timeout", "--memory", "--disk", "--cpu", "--image", "--max-output"];
const WITHOUT_VALUE: [&str; 5] = ["--network", "--async", "--quiet", "--verbose", "--json"];

/// Returns the arguments, with flags of a subcommand moved behind it. Others are left where they are.
pub(crate) fn flags_behind_subcommand(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut of_script = false;
    let arguments = arguments.into_iter().filter_map(|argument| {
        of_script |= argument == "--";
        if of_script { Some(argument) } else { without_truth(argument) }
    });
    let mut arguments: Vec<_> = arguments.collect();
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

/// Returns whether a flag of ours is among the arguments.
pub(crate) fn has_flag(arguments: &[OsString], flag: &str) -> bool {
    arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == flag)
}

/// `--flag=true` as `--flag`, `--flag=false` as nothing, and everything else as it is.
fn without_truth(argument: OsString) -> Option<OsString> {
    match argument.to_str().and_then(|argument| argument.split_once('=')) {
        Some((flag, value)) if WITHOUT_VALUE.contains(&flag) => match value {
            "true" | "1" => Some(flag.into()),
            "false" | "0" => None,
            _ => Some(argument),
        },
        _ => Some(argument),
    }
}

/// Returns how many arguments a flag takes up, itself included.
fn width(argument: &OsStr) -> Option<usize> {
    let argument = argument.to_str()?;
    let letters = argument.strip_prefix('-').unwrap_or_default();
    let are_letters = !letters.is_empty() && letters.bytes().all(|letter| matches!(letter, b'q' | b'v'));
    if are_letters || WITHOUT_VALUE.contains(&argument) {
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
        assert_eq!(reordered("pyexec -v --cpu 2 --async submit x"), "pyexec submit -v --cpu 2 --async x");
    }

    #[test]
    fn a_flag_may_have_a_value_of_true_or_false() {
        assert_eq!(reordered("pyexec --network=true --async=false run x"), "pyexec run --network x");
        assert_eq!(reordered("pyexec run --quiet=1 -- --quiet=0"), "pyexec run --quiet -- --quiet=0");
        assert_eq!(reordered("pyexec run --network=perhaps --timeout=0"), "pyexec run --network=perhaps --timeout=0");
    }

    #[test]
    fn everything_else_stays_in_place() {
        for line in ["pyexec", "pyexec run -q x", "pyexec --help", "pyexec --server", "pyexec -q", "pyexec --what run"]
        {
            assert_eq!(reordered(line), line);
        }
    }
}
