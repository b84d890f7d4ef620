//! Which jobs are turned away before they run, and with what advice.

use super::Site;
use crate::server::support::could_not_run;
use serde_json::{Value, json};

/// Asks for it in each way that there is, and wants the same refusal of all.
fn refused(site: &Site, field: &str, value: &Value, words: &[&str]) {
    let mut request = json!({"code": "print(1)"});
    request[field] = value.clone();
    let eval = site.eval(&request);
    let form = super::upload("print(1)", &json!({field: value}));
    let sync = site.post_form("/api/v1/exec/sync", &[], &form).json();
    let later = site.post_form("/api/v1/exec/async", &[], &form).json();
    let later = site.result_of(later["execution_id"].as_str().expect("an id"));
    for result in [eval, sync, later] {
        let error = could_not_run(&result);
        for word in words {
            assert!(error.contains(word), "{field} {value}: {word:?} is not in {error:?}");
        }
    }
}

#[test]
fn images_that_are_not_allowed_are_refused_by_name() {
    let Some(site) = Site::start(&[("PYEXEC_ALLOWED_IMAGES", "python:3.1*-slim")]) else { return };
    for image in ["ubuntu:24.04", "docker.io/library/alpine", "python:2.7", "example.org/python:3.11-slim"] {
        refused(&site, "docker_image", &json!(image), &["is not allowed", "python:3.1*-slim"]);
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
        refused(&site, "requirements_txt", &json!(format!("six\n{line}\n")), &["requirements"]);
    }
}

#[test]
fn code_without_permission_for_the_network_fails_and_says_what_to_set() {
    let Some(site) = Site::start(&[]) else { return };
    let code = "import urllib.request\nprint(urllib.request.urlopen('http://example.invalid'))";
    let result = site.eval(&json!({"code": code}));
    let stderr = result["stderr"].as_str().unwrap_or_default();
    assert!(stderr.contains("no permission to use the network") && stderr.contains("\"network\": true"), "{result}");
    assert_eq!((&result["status"], &result["error_type"]), (&json!("completed"), &json!("URLError")), "{result}");
    let result = site.eval(&json!({"code": code, "network": true}));
    assert_eq!((&result["executor"], &result["error_type"]), (&json!("docker"), &json!("URLError")), "{result}");

    let closed = Site::start(&[("PYEXEC_ALLOW_NETWORK", "false")]).expect("Docker");
    let result = closed.eval(&json!({"code": code, "network": true}));
    assert!(result["stderr"].as_str().unwrap_or_default().contains("PYEXEC_ALLOW_NETWORK"), "{result}");
}

#[test]
fn what_silence_about_the_network_means_is_a_setting() {
    let Some(site) = Site::start(&[("PYEXEC_DEFAULT_NETWORK", "on")]) else { return };
    let code = "import urllib.request\nprint(urllib.request.urlopen('http://example.invalid'))";
    for request in [json!({"code": code}), json!({"code": code, "config": {"timeout_seconds": 30}})] {
        let result = site.eval(&request);
        assert_eq!((&result["executor"], &result["error_type"]), (&json!("docker"), &json!("URLError")), "{result}");
        assert!(!result["route_reason"].as_str().expect("text").contains("without the network"), "{result}");
    }
    let form = super::upload(code, &json!({}));
    let result = site.post_form("/api/v1/exec/sync", &[], &form).json();
    assert_eq!((&result["executor"], &result["error_type"]), (&json!("docker"), &json!("URLError")), "{result}");
}

#[test]
fn what_contradicts_itself_or_this_tier_is_refused() {
    let Some(site) = Site::start(&[]) else { return };
    for (request, words) in [
        (json!({"executor": "wasm", "python_version": "3.11"}), "asks for wasm, but asks for Python 3.11"),
        (json!({"executor": "wasm", "pre_commands": ["true"]}), "asks for wasm, but has pre_commands"),
        (json!({"executor": "docker", "config": {"cpu_fuel": 1000}}), "fuel is counted in WebAssembly only"),
        (json!({"executor": "docker", "config": {"memory_mb": 8}}), "ask for 64 MiB or more"),
    ] {
        let mut request = request;
        request["code"] = json!("print(1)");
        let error = site.failed(&request);
        assert!(error.contains(words), "{request}: {error}");
    }
    let answer = site.post_json("/api/v1/eval", &json!({"code": "1", "python_version": "3.9"}));
    assert_eq!(answer.status, 400);
    assert!(answer.error().contains("3.10"), "{}", answer.error());
    assert_eq!(site.containers(), 0, "none was made for any of these");
}
