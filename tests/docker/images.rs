//! Which images jobs get, and what is looked at first.

use super::{block_on, gone, job, with_docker};
use crate::support::docker::{Containers, docker, silent};
use pyexec::{
    ErrorKind, Hint,
    executor::docker::{ImagePull, Placement},
};
use std::{
    os::unix::fs::PermissionsExt,
    sync::{Arc, Mutex},
};

fn with_image(image: &str) -> Placement {
    let mut placement = Placement::default();
    placement.image = Some(image.to_owned());
    placement
}

#[test]
fn an_image_that_is_missing_is_named_and_not_fetched_where_that_is_forbidden() {
    let Some(containers) = Containers::new(|options| options.image_pull = ImagePull::Never) else { return };
    block_on(async {
        let error = containers.placed(job(""), with_image("python:2.5-slim")).await.expect_err("there is none");
        assert!(
            error.kind() == ErrorKind::NoImage
                && error.hint().is_some_and(|hint| hint.to_string().contains("docker pull python:2.5-slim")),
            "{error}"
        );
    });
}

#[test]
fn fetching_an_image_is_announced_and_its_failure_says_what_to_do() {
    // A registry that is not there.
    let Some(containers) = Containers::new(|options| options.allowed_images = vec!["localhost:1/*".to_owned()]) else {
        return;
    };
    block_on(async {
        let said = Arc::new(Mutex::new(Vec::new()));
        let progress = {
            let said = Arc::clone(&said);
            Arc::new(move |step: pyexec::executor::docker::Step| {
                said.lock().expect("not poisoned").push(step.to_string())
            })
        };
        let error =
            containers.executor().prepare(&with_image("localhost:1/base:7"), progress).await.expect_err("not fetched");
        assert!(
            error.kind() == ErrorKind::NoImage
                && error.hint().is_some_and(|hint| hint.to_string().contains("docker pull localhost:1/base:7")),
            "{error}"
        );
        assert_eq!(*said.lock().expect("not poisoned"), ["pulling localhost:1/base:7"]);
    });
}

#[test]
fn an_image_that_is_not_allowed_is_refused_by_name() {
    with_docker(async |containers| {
        for image in ["debian:12", "evil/python:3.13", "localhost:5000/python:3.13"] {
            let error = containers.executor().prepare(&with_image(image), silent()).await.expect_err("refused");
            assert!(
                error.is_invalid_job()
                    && error.message().contains(image)
                    && matches!(error.hint(), Some(Hint::AllowImage(_))),
                "{error}"
            );
        }
        for image in ["-v", "python:3.13 --privileged", "../x", "python\n"] {
            let error = containers.placed(job(""), with_image(image)).await.expect_err("refused");
            assert!(error.to_string().contains("is not the name of an image"), "{error}");
        }
    });
}

#[test]
fn an_image_with_volumes_or_without_a_usable_python_is_refused() {
    let Some(containers) = Containers::new(|options| options.allowed_images = vec!["pyexec-test-*".to_owned()]) else {
        return;
    };
    block_on(async {
        let said = r#"{"python": "3.8", "machine": "x86_64", "libc": "glibc 2.31"}"#;
        let old = "COPY python3 /old/python3\nENV PATH=/old:/usr/bin:/bin";
        let old_python = format!("#!/bin/sh\necho '{said}'\n");
        for (change, words) in [
            ("VOLUME /data", "declares volumes (/data)"),
            ("ENV PATH=/nowhere", "has no python3"),
            (old, "has Python 3.8: take one with 3.10 to 3.14"),
        ] {
            let tag = format!("pyexec-test-{}", uuid::Uuid::new_v4().simple());
            let folder = tempfile::tempdir().expect("a folder");
            std::fs::write(folder.path().join("Dockerfile"), format!("FROM python:3.13-slim\n{change}\n"))
                .expect("written");
            let python = folder.path().join("python3");
            std::fs::write(&python, &old_python).expect("written");
            std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).expect("set");
            docker(&["build", "--quiet", "--tag", &tag, folder.path().to_str().expect("a path")]);
            let refused = containers.placed(job(""), with_image(&tag)).await;
            gone(&containers).await;
            docker(&["rmi", "--force", &tag]);
            assert!(matches!(&refused, Err(error) if error.to_string().contains(words)), "{refused:?}");
        }
    });
}
