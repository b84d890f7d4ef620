//! Files behave as on Linux: random operations have the same results in the sandbox and in a folder of this machine.
//!
//! More of them are tried with `PYEXEC_MODEL_SEEDS=FIRST..END`, each a sequence of its own.

use crate::support::{for_each, native, pyexec, repository};
use pyexec::{Job, Limits, Project, TierChoice};
use std::{env, fs, ops::Range};

const OPERATIONS: &str = "250";

#[test]
fn random_operations_on_files_do_what_they_do_on_linux() {
    let seeds: Vec<u64> = seeds().collect();
    let program = fs::read_to_string(repository("tests/files/model.py")).expect("the model");
    for_each(&seeds, |seed| {
        let arguments = [seed.to_string(), "1".to_owned(), OPERATIONS.to_owned()];
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("model.py"), &program).expect("room for the model");
        let output =
            native().arg("model.py").args(&arguments).current_dir(folder.path()).output().expect("native Python");
        let expected = String::from_utf8_lossy(&output.stdout);
        let job = Job::project(Project::files([("model.py", program.clone())]).expect("a project"))
            .args(arguments)
            .tier(TierChoice::Wasm)
            .limits(Limits { wall_clock_ms: 60_000, ..Limits::default() });
        let outcome = pyexec().run_blocking(job).expect("an outcome");
        let found = &outcome.stdout.text;
        if output.status.success() && expected == *found {
            return Ok(());
        }
        let at = expected.lines().zip(found.lines()).take_while(|(expected, found)| expected == found).count();
        let line = |text: &str| text.lines().nth(at).unwrap_or("(the end)").to_owned();
        Err(format!(
            "seed {seed}, line {}:\n  Linux   {}\n  sandbox {}\n{}{}",
            at + 1,
            line(&expected),
            line(found),
            String::from_utf8_lossy(&output.stderr),
            outcome.stderr.text
        ))
    });
}

fn seeds() -> Range<u64> {
    let Ok(given) = env::var("PYEXEC_MODEL_SEEDS") else { return 1..41 };
    let range = given.split_once("..").and_then(|(first, end)| Some(first.parse().ok()?..end.parse().ok()?));
    range.unwrap_or_else(|| panic!("PYEXEC_MODEL_SEEDS is FIRST..END, such as 1000..2000, not {given:?}"))
}
