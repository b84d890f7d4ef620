//! The main() service, by the examples of its README and more.

use super::support::{Answer, Server};
use serde_json::{Value, json};

fn execute(server: &Server, script: &str) -> (u16, Value) {
    let answer = server.post_json("/execute", &json!({"script": script}));
    (answer.status, answer.json())
}

fn said(answer: &Answer, start: &str) -> bool {
    answer.json()["error"].as_str().is_some_and(|error| error.starts_with(start))
}

#[test]
fn the_readmes_example_works() {
    let server = Server::shared();
    let body = r#"{
    "script": "def main():\n first_name = \"mark\" \n last_name = \"lidnov\" \n return {\"name\": first_name, \"last\": last_name}"
}"#;
    let answer = server.call("POST", "/execute", &[("content-type", "application/json")], body.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json(), json!({"result": {"last": "lidnov", "name": "mark"}, "stdout": ""}));
}

#[test]
fn result_and_output_come_apart() {
    let server = Server::shared();
    let script = "import sys\nprint('{\"fake\": 1}')\ndef main():\n    print('  in it  ')\n    print('e', file=sys.stderr)\n    \
                  return [1, 2.5, None, 'ä']\n";
    let expected = json!({"result": [1, 2.5, null, "ä"], "stdout": "{\"fake\": 1}\n  in it"});
    assert_eq!(execute(&server, script), (200, expected));
    assert_eq!(execute(&server, "def main(): pass"), (200, json!({"result": null, "stdout": ""})));
}

#[test]
fn what_cannot_be_answered_is_said_as_there() {
    let server = Server::shared();
    let no_main = json!({"error": "Script must contain a main() function"});
    for script in ["x = 1", "main = 3", "def other(): return 1", "# main\nx = 1"] {
        assert_eq!(execute(&server, script), (400, no_main.clone()), "{script}");
    }
    for value in ["object()", "float('nan')", "{1, 2}"] {
        let script = format!("print('out')\ndef main(): return {value}");
        let expected = json!({"error": "Script did not return valid JSON", "stdout": "out", "stderr": ""});
        assert_eq!(execute(&server, &script), (400, expected), "{value}");
    }
    let (status, failure) = execute(&server, "def main():\n    print('so far')\n    1 / 0");
    assert_eq!(
        (status, &failure["error"], &failure["stdout"]),
        (500, &json!("Script execution failed"), &json!("so far"))
    );
    let stderr = failure["stderr"].as_str().expect("text");
    assert!(stderr.starts_with("Traceback") && stderr.ends_with("ZeroDivisionError: division by zero"), "{stderr}");
    let (status, failure) = execute(&server, "def main(:");
    assert_eq!((status, &failure["error"]), (500, &json!("Script execution failed")));
    for body in [r#"{"script": ""}"#, r#"{"script": null}"#] {
        let answer = server.call("POST", "/execute", &[], body.as_bytes());
        assert_eq!((answer.status, answer.json()), (400, json!({"error": "No script provided"})));
    }
    let answer = server.call("POST", "/execute", &[], br#"{"script": 5}"#);
    assert!(answer.status == 400 && said(&answer, "invalid JSON: script"), "{}", answer.text());
    let answer =
        server.post_json("/execute", &json!({"script": format!("def main(): pass\n#{}", "x".repeat(200_000))}));
    assert!(answer.status == 413 && answer.error().contains("limit"), "{}", answer.text());
}

#[test]
fn a_server_that_stands_in_for_it_has_its_limits() {
    let server = Server::start(&[("PYEXEC_SERVICE", "main"), ("PYEXEC_DEFAULT_TIMEOUT", "1")], &[]);
    assert_eq!(execute(&server, "def main():\n    while True: pass"), (500, json!({"error": "Execution timed out"})));
    let (status, failure) = execute(&server, "def main(): return len(bytearray(60_000_000))");
    assert_eq!((status, &failure["error"]), (500, &json!("Script execution failed")), "{failure}");
    assert_eq!(execute(&server, "def main(): return len(bytearray(1_000_000))").0, 200);
    for body in ["{}", r#"{"code": "1"}"#, r#"{"session_id": "s", "code": "1"}"#] {
        let answer = server.call("POST", "/execute", &[], body.as_bytes());
        assert_eq!((answer.status, answer.json()), (400, json!({"error": "No script provided"})), "{body}");
    }
    let answer = server.call("POST", "/execute", &[], b"{");
    assert!(answer.status == 400 && said(&answer, "invalid JSON"), "{}", answer.text());
    let limits = server.eval(&json!({"code": "1"}))["limits"].clone();
    assert_eq!(limits["memory_mb"], 50);
}
