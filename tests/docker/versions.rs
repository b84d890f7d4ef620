//! The version of Python that code needs is the one that it gets.

use super::{block_on, job};
use crate::support::docker::{Containers, options, without_docker};
use pyexec::{Pyexec, executor::docker::Placement, outcome::Tier};

const VERSION: &str = "import sys; print('%d.%d' % sys.version_info[:2])";

fn at_least(version: &str) -> Placement {
    let mut placement = Placement::default();
    placement.python_at_least = Some(version.parse().expect("a version"));
    placement
}

#[test]
fn the_newest_version_is_made_where_it_cannot_be_fetched() {
    // The usual image here is of 3.13.
    let Some(containers) = Containers::new(|_| ()) else { return };
    block_on(async {
        let new =
            "import threading\nfrom compression import zstd\nx = 1\nprint(t'{x}'.values)\ntry: pass\nexcept A, B: pass";
        let outcome = containers.prepared(job(new), &at_least("3.14")).await;
        assert_eq!(outcome.stdout.text, "(1,)\n", "{outcome:#?}");
        let mut asked = Placement::default();
        asked.python = Some("3.14".to_owned());
        let complete = format!(
            "{VERSION}\nimport bz2, ctypes, curses, dbm, hashlib, lzma, sqlite3, ssl, subprocess, venv, zoneinfo\n\
             print(subprocess.run(['python', '-m', 'pip', '--version'], capture_output=True, text=True).stdout[:4])"
        );
        assert_eq!(containers.prepared(job(&complete), &asked).await.stdout.text, "3.14\npip \n");
        // What does not need it stays.
        assert_eq!(containers.prepared(job(VERSION), &at_least("3.12")).await.stdout.text, "3.13\n");
    });
}

#[test]
fn a_version_that_cannot_be_had_is_replaced_by_one_that_will_do_or_named() {
    let missing = |options: &mut pyexec::executor::docker::DockerOptions, default: &str| {
        options.image = "localhost:1/python:{version}".to_owned();
        options.default_image = default.to_owned();
        options.images.insert("3.11".to_owned(), "python:3.11-slim".to_owned());
    };
    let Some(containers) = Containers::new(|options| missing(options, "localhost:1/python:3.12")) else { return };
    block_on(async {
        // One of 3.14 may have been made.
        let outcome = containers.prepared(job(VERSION), &Placement::default()).await;
        let version = outcome.stdout.text.trim();
        assert!(["3.11", "3.14"].contains(&version), "{outcome:#?}");
        let note = format!("on Python {version}, for there is no image of 3.12: cannot fetch the image");
        assert!(outcome.route_reason.contains(&note), "{outcome:#?}");
        assert_eq!(containers.prepared(job(VERSION), &at_least("3.12")).await.stdout.text, "3.14\n");
        let mut asked = Placement::default();
        asked.python = Some("3.12".to_owned());
        assert!(
            matches!(containers.prepare(&asked).await, Err(error) if !error.is_invalid_job()),
            "none other is taken silently"
        );
    });
}

#[test]
fn an_older_version_that_is_there_is_taken_where_it_will_do() {
    let Some(containers) = Containers::new(|options| {
        options.images.insert("3.12".to_owned(), "localhost:1/python:3.12".to_owned());
    }) else {
        return;
    };
    block_on(async {
        let mut asked = Placement::default();
        asked.python = Some("3.12".to_owned());
        asked.or_older_to = Some("3.10".parse().expect("a version"));
        let outcome = containers.prepared(job(VERSION), &asked).await;
        assert_eq!(outcome.stdout.text, "3.11\n", "{outcome:#?}");
        assert!(outcome.route_reason.contains("on Python 3.11, of which there is an image"), "{outcome:#?}");
        asked.or_older_to = Some("3.12".parse().expect("a version"));
        assert!(matches!(containers.prepare(&asked).await, Err(error) if !error.is_invalid_job()));
    });
}

#[test]
fn a_module_that_is_gone_is_missing_where_there_is_no_image_that_has_it() {
    if without_docker() {
        return;
    }
    let mut options = options();
    options.image = "localhost:1/python:{version}".to_owned();
    let pyexec = Pyexec::builder().slots(1).docker(options).build().expect("the interpreter");
    let run = |code: &str| pyexec.run_blocking(job(code));
    for code in [
        "try:\n    import crypt\nexcept ImportError as e:\n    print(e)",
        "import sys\ndef f():\n    try:\n        import crypt, cgi\n    except ImportError as e:\n        print(e)\nif sys.argv:\n    f()",
    ] {
        let outcome = run(code).expect("an outcome");
        assert_eq!(outcome.stdout.text, "No module named 'crypt'\n", "{code}: {outcome:#?}");
        assert_eq!(outcome.tier, Tier::Wasm, "{outcome:#?}");
    }
    assert!(matches!(run("import crypt"), Err(error) if !error.is_invalid_job()), "it cannot do without");
}
