//! The version of Python that code needs is the one that it gets.

use super::{block_on, job};
use crate::support::docker::Containers;
use pyexec::{Error, executor::docker::Placement};

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
            matches!(containers.prepare(&asked).await, Err(Error::Unavailable { .. })),
            "none other is taken silently"
        );
    });
}
