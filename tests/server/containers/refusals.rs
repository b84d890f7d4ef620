//! Which jobs are turned away before they run, and with what advice.

use super::Site;
use serde_json::{Value, json};

/// Asks for it in each way that there is, and wants the same refusal of all.
fn refused(site: &Site, field: &str, value: &Value, words: &[&str]) {
    let mut request = json!({"code": "print(1)"});
    request[field] = value.clone();
    let eval = site.post_json("/api/v1/eval", &request);
    let form = super::upload("print(1)", &json!({field: value}));
    let sync = site.post_form("/api/v1/exec/sync", &[], &form);
    let later = site.post_form("/api/v1/exec/async", &[], &form);
    for answer in [eval, sync, later] {
        let error = answer.error();
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("invalid")), "{field} {value}: {error}");
        for word in words {
            assert!(error.contains(word), "{field} {value}: {word:?} is not in {error:?}");
        }
    }
}

#[test]
fn images_that_are_not_allowed_are_refused_by_name() {
    let Some(site) = Site::start(&[("PYEXEC_ALLOWED_IMAGES", "python:3.1*-slim")]) else { return };
    for image in ["ubuntu:24.04", "docker.io/library/alpine", "python:2.7", "example.org/python:3.11-slim"] {
        refused(&site, "docker_image", &json!(image), &["is not allowed", "PYEXEC_ALLOWED_IMAGES", "python:3.1*-slim"]);
    }
    for image in ["-v /:/host", "python:3.11-slim --privileged", "UPPER", "../python"] {
        refused(&site, "docker_image", &json!(image), &["is not the name of an image"]);
    }
}

#[test]
fn requirements_are_packages_and_nothing_else() {
    let Some(site) = Site::start(&[]) else { return };
    for line in [
        "-e .",
        "--index-url https://example.org/simple",
        "-r /etc/passwd",
        "six @ https://example.org/six.whl",
        "six @ file:///etc/passwd",
        "/etc/passwd",
        "./local",
        "https://example.org/six.whl",
        "git+https://example.org/six.git",
        "six --install-option=x",
        "six; touch /tmp/made",
    ] {
        refused(&site, "requirements_txt", &json!(format!("six\n{line}\n")), &["requirements_txt: ", "line 2"]);
    }
}

#[test]
fn the_network_is_refused_with_what_to_set() {
    let Some(site) = Site::start(&[]) else { return };
    let code = "import urllib.request\nprint(urllib.request.urlopen('http://example.invalid'))";
    let answer = site.post_json("/api/v1/eval", &json!({"code": code}));
    let error = answer.error();
    assert_eq!(answer.status, 400, "{error}");
    assert!(error.contains("uses the network") && error.contains("\"network\": true"), "{error}");
    let result = site.eval(&json!({"code": code, "network": true}));
    assert_eq!((&result["executor"], &result["error_type"]), (&json!("docker"), &json!("URLError")), "{result}");

    let closed = Site::start(&[("PYEXEC_ALLOW_NETWORK", "false")]).expect("Docker");
    let answer = closed.post_json("/api/v1/eval", &json!({"code": code, "network": true}));
    assert_eq!(answer.status, 400);
    assert!(answer.error().contains("PYEXEC_ALLOW_NETWORK"), "{}", answer.error());
}

#[test]
fn what_contradicts_itself_or_this_tier_is_refused() {
    let Some(site) = Site::start(&[]) else { return };
    for (request, words) in [
        (json!({"executor": "wasm", "python_version": "3.11"}), "asks for wasm, but asks for Python 3.11"),
        (json!({"executor": "wasm", "pre_commands": ["true"]}), "asks for wasm, but has pre_commands"),
        (json!({"executor": "docker", "config": {"cpu_fuel": 1000}}), "fuel is counted in WebAssembly only"),
        (json!({"executor": "docker", "config": {"memory_mb": 8}}), "ask for 64 MiB or more"),
        (json!({"python_version": "3.9"}), "3.10"),
    ] {
        let mut request = request;
        request["code"] = json!("print(1)");
        let answer = site.post_json("/api/v1/eval", &request);
        assert_eq!(answer.status, 400, "{request}: {}", answer.text());
        assert!(answer.error().contains(words), "{request}: {}", answer.error());
    }
    assert_eq!(site.containers(), 0, "none was made for any of these");
}
