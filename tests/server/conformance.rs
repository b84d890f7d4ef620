//! What clients may rely on. Those of the original service know less than this; what they know is in `recorded/`, too.

use super::{
    recorded::{is_id, is_time, replay},
    support::{Event, Form, Server, could_not_run, tar, until},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, thread};

macro_rules! recorded {
    ($($name:ident: $file:literal,)+) => {
        $(#[test]
        fn $name() {
            replay(&Server::shared(), $file);
        })+
    };
}

recorded! {
    the_go_client_can_evaluate: "go_eval.txt",
    the_go_client_gets_the_last_expression: "go_eval_result.txt",
    the_go_client_sees_where_a_script_raised: "go_eval_raises.txt",
    the_go_client_sees_a_timeout_and_the_output_before_it: "go_eval_timeout.txt",
    the_go_client_can_run_a_project: "go_exec.txt",
    the_python_client_can_evaluate: "python_eval.txt",
    the_python_client_gets_no_result_for_none: "python_eval_none.txt",
    the_python_client_can_run_a_project: "python_exec.txt",
    the_python_client_can_start_and_kill: "python_async_kill.txt",
    null_is_the_same_as_nothing_in_eval: "null_eval.txt",
    null_is_the_same_as_nothing_in_exec: "null_exec.txt",
    errors_of_eval_have_the_words_that_clients_know: "eval_errors.txt",
    errors_of_exec_have_the_words_that_clients_know: "exec_errors.txt",
    what_is_not_there_is_not_found: "not_found.txt",
}

#[test]
fn code_above_its_limit_is_refused_with_its_size() {
    let server = Server::shared();
    let most = " ".repeat(102_400);
    assert_eq!(server.eval(&json!({"code": most}))["status"], "completed");
    let (a, b) = ("#".repeat(102_400), "#");
    for request in [
        json!({"code": format!("{most}#")}),
        json!({"files": [{"name": "a.py", "content": a}, {"name": "b.py", "content": b}]}),
    ] {
        let answer = server.post_json("/api/v1/eval", &request);
        assert_eq!(answer.status, 413);
        assert_eq!(answer.error(), "total code size 102401 bytes exceeds limit of 102400 bytes");
    }
    // Files win, so the size of code that is not run does not matter.
    let both = json!({"code": "#".repeat(200_000), "files": [{"name": "a.py", "content": "print(1)"}]});
    assert_eq!(server.eval(&both)["stdout"], "1\n");
}

#[test]
fn the_last_expression_is_the_result() {
    let server = Server::shared();
    for (code, result, json, stdout) in [
        ("1 + 1", json!("2"), json!(2), ""),
        ("'a'", json!("'a'"), json!("a"), ""),
        ("object", json!("<class 'object'>"), Value::Null, ""),
        ("x = 1", Value::Null, Value::Null, ""),
        ("None", Value::Null, Value::Null, ""),
        ("print('a')\nNone", Value::Null, Value::Null, "a\n"),
        ("print('a\\n')\n5", json!("5"), json!(5), "a\n"),
        ("print('a', end='')\n5", json!("5"), json!(5), "a"),
        ("print('a\\r')\n5", json!("5"), json!(5), "a\r"),
    ] {
        let answer = server.eval(&json!({"code": code, "eval_last_expr": true}));
        assert_eq!(answer["result"], result, "{code}");
        assert_eq!(answer["result_json"], json, "{code}");
        assert_eq!(answer["stdout"], stdout, "{code}");
        assert_eq!(answer.get("result").is_some(), !result.is_null(), "{code}: absent and not null");
    }
    let answer = server.eval(&json!({"code": "print('a')\n5"}));
    assert_eq!((&answer["result"], &answer["stdout"]), (&Value::Null, &json!("a\n")));
}

#[test]
fn a_script_that_fails_is_a_result_with_its_exit_code_type_and_line() {
    let server = Server::shared();
    for (code, exit_code, kind, line) in [
        ("import sys\nsys.exit(7)", 7, Value::Null, Value::Null),
        ("raise SystemExit(0)", 0, Value::Null, Value::Null),
        ("def f():\n    1 / 0\n\nf()", 1, json!("ZeroDivisionError"), json!(4)),
        ("x = 1\ny = (", 1, json!("SyntaxError"), json!(2)),
        ("\nundefined", 1, json!("NameError"), json!(2)),
        ("class Own(Exception): pass\nraise Own('x')", 1, json!("Own"), json!(2)),
    ] {
        let result = server.eval(&json!({"code": code}));
        assert_eq!(result["status"], "completed", "{code}: {result}");
        assert_eq!(result["exit_code"], exit_code, "{code}: {result}");
        assert_eq!((&result["error_type"], &result["error_line"]), (&kind, &line), "{code}");
        assert_eq!(result["error_message"].is_string(), kind.is_string(), "{code}: {result}");
        assert_eq!(result.get("error"), None, "{code}");
        assert_eq!(result.get("error_frames").is_some(), kind.is_string(), "{code}: {result}");
    }
    let result = server.eval(&json!({"code": "def f():\n    1 / 0\n\nf()"}));
    let frame = |line: u32, function: &str| json!({"file": "main.py", "line": line, "function": function});
    assert_eq!(result["error_frames"], json!([frame(4, "<module>"), frame(2, "f")]));
}

#[test]
fn limits_that_stop_a_script_are_named() {
    let server = Server::shared();
    let result = server.eval(&json!({"code": "import time\ntime.sleep(99)", "config": {"timeout_seconds": 1}}));
    assert_eq!(result["error_kind"], "time_limit");
    assert_eq!(result["limits_hit"], json!(["wall_clock"]));
    let result = server.eval(&json!({"code": "print('a')\nwhile True: pass", "config": {"cpu_fuel": 5_000_000}}));
    assert_eq!((&result["status"], &result["exit_code"]), (&json!("failed"), &json!(0)));
    assert_eq!((&result["error_kind"], &result["error"]), (&json!("cpu_limit"), &json!("CPU budget exceeded")));
    assert_eq!(result["stdout"], "a\n");
    let result = server.eval(&json!({"code": "b = bytearray(10**8)", "config": {"memory_mb": 64}}));
    assert_eq!((&result["status"], &result["error_type"]), (&json!("completed"), &json!("MemoryError")));
    assert_eq!(result["limits_hit"], json!(["memory"]));
}

#[test]
fn output_above_its_limit_keeps_its_ends_and_its_size() {
    let server = Server::shared();
    let code = "print('start' + 'x' * 3_000_000 + 'end')";
    let whole = server.eval(&json!({"code": code}));
    assert_eq!((whole["stdout"].as_str().map(str::len), &whole["limits_hit"]), (Some(3_000_009), &json!([])));
    for config in [json!({"config": {"max_output_bytes": 1_000_000}}), json!({"max_output_bytes": 1_000_000})] {
        let mut request = config;
        request["code"] = json!(code);
        let result = server.eval(&request);
        let stdout = result["stdout"].as_str().expect("text");
        assert!(stdout.starts_with("startxx") && stdout.ends_with("xxend\n") && stdout.len() < 1_000_100);
        assert_eq!((&result["stdout_truncated"], &result["stdout_bytes"]), (&json!(true), &json!(3_000_009)));
        assert_eq!((&result["stderr_truncated"], &result["stderr_bytes"]), (&json!(false), &json!(0)));
        assert_eq!((&result["limits_hit"], &result["exit_code"]), (&json!(["output"]), &json!(0)));
        assert_eq!(result["limits"]["max_output_bytes"], 1_000_000);
    }
}

#[test]
fn ten_megabytes_of_output_come_back_whole_and_more_when_asked_for() {
    let server = Server::shared();
    let most = server.eval(&json!({"code": "print('x' * 9_999_999)"}));
    assert_eq!((most["stdout"].as_str().map(str::len), &most["stdout_truncated"]), (Some(10_000_000), &json!(false)));
    let code = "print('x' * 12_000_000)";
    let more = server.eval(&json!({"code": code}));
    assert_eq!((&more["stdout_truncated"], &more["limits_hit"]), (&json!(true), &json!(["output"])));
    let more = server.eval(&json!({"code": code, "config": {"max_output_bytes": 20_000_000}}));
    assert_eq!((more["stdout"].as_str().map(str::len), &more["limits_hit"]), (Some(12_000_001), &json!([])));
    for (setting, limit) in [("PYEXEC_DEFAULT_OUTPUT_BYTES", 15_000_000), ("PYEXEC_MAX_OUTPUT_BYTES", 15_000_000)] {
        let server = Server::start(&[(setting, &limit.to_string())], &[]);
        let more = server.eval(&json!({"code": code}));
        assert_eq!((&more["stdout_truncated"], &more["limits"]["max_output_bytes"]), (&json!(false), &json!(limit)));
    }
}

#[test]
fn a_result_that_is_larger_than_what_is_kept_says_so() {
    let server = Server::start(&[("PYEXEC_RESULTS_MB", "1")], &[]);
    let id = server.submit("open('f', 'w').write('x' * 3_000_000)\nprint('done')", &[]);
    assert_eq!(server.result_of(&id).get("files_dropped"), None, "none were asked for");
    let code = "open('f', 'w').write('x' * 3_000_000)\nprint('done')";
    let result = server.eval(&json!({"code": code, "collect_files": true}));
    assert_eq!((&result["files_dropped"], &result["files"]), (&json!("too_large"), &json!([])), "{result}");
    assert_eq!((&result["stdout"], &result["exit_code"]), (&json!("done\n"), &json!(0)));
    let id = server.submit("print('x' * 3_000_000)\nraise SystemExit(3)", &[]);
    let result = server.result_of(&id);
    assert_eq!((&result["status"], &result["exit_code"]), (&json!("completed"), &json!(3)), "{result}");
    assert_eq!((&result["stdout"], &result["stdout_bytes"]), (&json!(""), &json!(3_000_001)));
    assert!(result["warnings"][0].as_str().is_some_and(|text| text.contains("results_mb")), "{result}");
}

#[test]
fn values_come_back_as_json_only_when_that_says_the_same() {
    let server = Server::shared();
    for (code, json) in [
        (
            "{'zeta': 1, 'alpha': [None, True], 'mid': {'b': 'é', 'a': 1e400 - 1e400 == 0}}",
            Some(r#"{"zeta": 1, "alpha": [null, true], "mid": {"b": "é", "a": false}}"#),
        ),
        (
            "[2**53 + 1, 2**64, -10**40, 0.1, 1e22, -0.0]",
            Some(
                "[9007199254740993, 18446744073709551616, -10000000000000000000000000000000000000000, 0.1, 1e+22, -0.0]",
            ),
        ),
        ("{1: 2}", None),
        ("'\\ud800'", None),
    ] {
        let body = json!({"code": code, "eval_last_expr": true}).to_string();
        let text = server.call("POST", "/api/v1/eval", &[], body.as_bytes()).text();
        match json {
            Some(json) => assert!(text.contains(&format!(r#""result_json":{json},"#)), "{code}: {text}"),
            None => assert!(!text.contains("result_json"), "{code}: {text}"),
        }
    }
    let code = "x = 0\nfor _ in range(900): x = [x]\nx";
    let body = json!({"code": code, "eval_last_expr": true}).to_string();
    let text = server.call("POST", "/api/v1/eval", &[], body.as_bytes()).text();
    assert!(text.contains(&format!(r#""result_json":{}0{},"#, "[".repeat(900), "]".repeat(900))), "{text}");
    // Deeper is more than clients' parsers take, such as Python's.
    let body = json!({"code": "x = 0\nfor _ in range(901): x = [x]\nx", "eval_last_expr": true}).to_string();
    let answer = server.call("POST", "/api/v1/eval", &[], body.as_bytes()).json();
    assert_eq!(answer.get("result_json"), None);
    assert_eq!(answer["result"], format!("{}0{}", "[".repeat(901), "]".repeat(901)));
    let call =
        r#"{"code": "def f(n): return n + 1", "entry_function": {"name": "f", "arguments": [18446744073709551616]}}"#;
    let text = server.call("POST", "/api/v1/eval", &[], call.as_bytes()).text();
    assert!(text.contains(r#""result_json":18446744073709551617,"#), "arguments as well: {text}");
}

#[test]
fn unknown_members_are_named_and_slips_refused() {
    let server = Server::shared();
    let result = server.eval(&json!({"code": "print(1)", "input": "x", "language": "python", "config": {"x": [[{}]]}}));
    let warnings: Vec<_> =
        result["warnings"].as_array().expect("a list").iter().map(|it| it.as_str().expect("text")).collect();
    assert_eq!(
        warnings,
        [
            "unknown member \"config.x\" was ignored",
            "unknown member \"input\" was ignored (\"stdin\" is known)",
            "unknown member \"language\" was ignored",
        ]
    );
    assert_eq!((&result["stdout"], server.eval(&json!({"code": "1"})).get("warnings")), (&json!("1\n"), None));
    for (request, word) in [
        (json!({"code": "1", "std_in": "x"}), "\"stdin\""),
        (json!({"code": "1", "envVars": []}), "\"env_vars\""),
        (json!({"code": "1", "timeout_seconds": 3}), "into \"config\""),
        (json!({"code": "1", "timeout": 3}), "\"timeout_seconds\"? That belongs into \"config\""),
        (json!({"code": "1", "timeoutSecs": 3}), "\"timeout_seconds\"? That belongs into \"config\""),
        (json!({"code": "1", "memory": 3}), "\"memory_mb\"? That belongs into \"config\""),
        (json!({"code": "1", "env": {"A": "1"}}), "\"env_vars\""),
        (json!({"code": "1", "requirements": ["x"]}), "\"requirements_txt\""),
        (json!({"code": "1", "config": {"timeout": 3}}), "\"config.timeout_seconds\""),
        (json!({"code": "1", "config": {"timeout_second": 3}}), "\"config.timeout_seconds\""),
        (json!({"code": "1", "config": {"stdin": "x"}}), "outside of \"config\""),
        (json!({"files": [{"name": "a.py", "contents": "1"}]}), "\"files[].content\""),
    ] {
        let answer = server.post_json("/api/v1/eval", &request);
        assert_eq!(answer.status, 400, "{request}");
        assert!(answer.error().contains(word), "{request}: {}", answer.error());
    }
    // As the first service did, the case of letters makes no difference.
    assert_eq!(server.eval(&json!({"Code": "print(2)"}))["stdout"], "2\n");
    let form =
        Form::new().tar(&[("main.py", "print(3)")]).field("metadata", "", br#"{"entrypoint":"main.py","extra":1}"#);
    let result = server.post_form("/api/v1/exec/sync", &[], &form).json();
    assert_eq!(
        (&result["stdout"], &result["warnings"]),
        (&json!("3\n"), &json!(["unknown member \"extra\" was ignored"]))
    );
}

#[test]
fn limits_may_be_fractions_and_what_was_given_is_in_the_answer() {
    let server = Server::shared();
    let began = std::time::Instant::now();
    let config = json!({"timeout_seconds": 0.5, "memory_mb": 64.5, "disk_mb": 1e9, "cpu_shares": 512});
    let result = server.eval(&json!({"code": "while True: pass", "config": config}));
    assert_eq!(
        (&result["error"], &result["error_kind"]),
        (&json!("execution timeout after 500ms"), &json!("time_limit"))
    );
    assert!(began.elapsed() < std::time::Duration::from_secs(10));
    assert_eq!(
        result["limits"],
        json!({"timeout_seconds": 0.5, "memory_mb": 64.5, "disk_mb": 20480, "cpu_shares": 512, "max_output_bytes": 10_000_000})
    );
    assert_eq!(result["warnings"], json!(["disk_mb: 1000000000 is above this server's maximum, so it is 20480"]));
    let result = server.eval(&json!({"code": "print(1)", "config": {"timeout_seconds": 7200}}));
    assert_eq!((&result["limits"]["timeout_seconds"], &result["stdout"]), (&json!(3600), &json!("1\n")));
    assert!(result["warnings"][0].as_str().is_some_and(|text| text.starts_with("timeout_seconds: 7200 ")), "{result}");
    let wrong = server.post_json("/api/v1/eval", &json!({"code": "1", "config": {"timeout_seconds": "5"}}));
    assert_eq!(wrong.status, 400);
    assert!(wrong.error().contains("config.timeout_seconds: "), "{}", wrong.error());
}

#[test]
fn files_may_be_bytes_and_larger_than_code() {
    let server = Server::shared();
    let content = base64(&vec![0xff; 300_000]);
    let code = "data = open('raw.bin', 'rb').read()\nprint(len(data), set(data))";
    let files = json!([{"name": "main.py", "content": code}, {"name": "raw.bin", "content_base64": content}]);
    assert_eq!(server.eval(&json!({"files": files}))["stdout"], "300000 {255}\n");
    for (file, word) in [
        (json!({"name": "a", "content_base64": "no base64!"}), "content_base64"),
        (json!({"name": "a", "content": "", "content_base64": ""}), "one of them"),
        (json!({"content": ""}), "files[].name"),
    ] {
        let answer = server.post_json("/api/v1/eval", &json!({"files": [file]}));
        assert_eq!(answer.status, 400, "{file}");
        assert!(answer.error().contains(word), "{}", answer.error());
    }
    let small = Server::start(&[("PYEXEC_FILES_MAX_KB", "1"), ("PYEXEC_CODE_MAX_BYTES", "10")], &[]);
    for request in [json!({"code": "print('12')"}), json!({"files": [{"name": "a", "content": "x".repeat(1025)}]})] {
        assert_eq!(small.post_json("/api/v1/eval", &request).status, 413);
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn what_cannot_be_is_an_execution_that_failed_in_every_way_of_asking() {
    let server = Server::shared();
    for (wrong, words) in [
        (json!({"entrypoint": "nope.py"}), "the project has no file \"nope.py\""),
        (json!({"entrypoint": "../main.py"}), "../main.py"),
        (json!({"requirements_txt": "six\n-e .\n"}), "requirements_txt: "),
        (json!({"docker_image": "python:3.12-slim"}), "asks for the image"),
        (json!({"pre_commands": ["true"]}), "has pre_commands"),
        (json!({"python_version": "3.11"}), "asks for Python 3.11"),
        (json!({"executor": "docker"}), "asks for docker"),
        (json!({"env_vars": ["=x"]}), "environment variable"),
        (json!({"script_args": ["\0"]}), "NUL"),
        (json!({"environment": "0".repeat(64)}), "environment"),
    ] {
        let mut request = wrong.clone();
        request["files"] = json!([{"name": "main.py", "content": "print(1)"}]);
        let error = server.failed(&request);
        assert!(error.contains(words), "{wrong}: {error}");
        let mut metadata = json!({"entrypoint": "main.py"});
        metadata.as_object_mut().expect("an object").extend(wrong.as_object().expect("an object").clone());
        let form = Form::new().tar(&[("main.py", "print(1)")]).field("metadata", "", metadata.to_string().as_bytes());
        let sync = server.post_form("/api/v1/exec/sync", &[], &form);
        assert_eq!(sync.status, 200, "{}", sync.text());
        assert!(could_not_run(&sync.json()).contains(words));
        let accepted = server.post_form("/api/v1/exec/async", &[], &form);
        assert_eq!(accepted.status, 202, "{}", accepted.text());
        let id = accepted.json()["execution_id"].as_str().expect("an id").to_owned();
        assert!(could_not_run(&server.result_of(&id)).contains(words));
        let body = {
            request["stream"] = json!(true);
            request.to_string()
        };
        let events: Vec<_> = server.follow("POST", "/api/v1/eval", &[], body.as_bytes()).collect();
        let told: String = events
            .iter()
            .filter(|event| event.kind == "stderr")
            .filter_map(|event| event.data["text"].as_str())
            .collect();
        assert!(told.contains(words), "{events:?}");
        assert_eq!(events.last().map(|event| event.kind.as_str()), Some("result"));
    }
    for name in ["../a.py", "/a.py", "", "a\0.py"] {
        server.failed(&json!({"files": [{"name": name, "content": ""}]}));
    }
    server.failed(&json!({"files": [{"name": "a.py", "content": ""}, {"name": "a.py", "content": ""}]}));
    let large = Form::new().tar(&[("main.py", "print(1)"), ("data", "x".repeat(2 << 20).as_str())]);
    let metadata = json!({"entrypoint": "main.py", "config": {"disk_mb": 1}}).to_string();
    let answer = server.post_form("/api/v1/exec/sync", &[], &large.field("metadata", "", metadata.as_bytes()));
    assert!(could_not_run(&answer.json()).contains("disk limit"));
    // Docker leaves a variable out that has no value.
    let result = server.eval(&json!({"code": "import os\nprint('NAME' in os.environ)", "env_vars": ["NAME"]}));
    assert_eq!((&result["stdout"], &result["exit_code"]), (&json!("False\n"), &json!(0)));
    assert!(result["warnings"][0].as_str().is_some_and(|text| text.contains("\"NAME\" is not NAME=value")), "{result}");
    let result = server.eval(&json!({"code": "print(1)\0"}));
    assert_eq!((&result["status"], &result["error_type"]), (&json!("completed"), &json!("SyntaxError")), "{result}");
    // The same request is the same execution, also when it cannot run.
    let key = [("idempotency-key", "what_cannot_be")];
    let ask = || server.call("POST", "/api/v1/eval", &key, br#"{"code":"1","docker_image":"UPPER"}"#).json();
    assert_eq!(ask(), ask());
}

#[test]
fn links_that_lead_out_are_left_out_and_named() {
    let server = Server::shared();
    let mut archive = tar::Builder::new(Vec::new());
    let mut link = tar::Header::new_gnu();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    archive.append_link(&mut link, "bin/python3", "/usr/bin/python3").expect("written");
    let mut script = tar::Header::new_gnu();
    script.set_size(8);
    script.set_mode(0o644);
    archive.append_data(&mut script, "main.py", &b"print(1)"[..]).expect("written");
    let archive = archive.into_inner().expect("written");
    let form = Form::new().field("tar", "; filename=\"code.tar\"", &archive).field("metadata", "", b"{}");
    let result = server.post_form("/api/v1/exec/sync", &[], &form).json();
    assert_eq!((&result["stdout"], &result["exit_code"]), (&json!("1\n"), &json!(0)), "{result}");
    assert!(result["warnings"][0].as_str().is_some_and(|text| text.contains("bin/python3")), "{result}");
}

#[test]
fn names_that_an_archive_cannot_have_fail_the_execution_and_damage_the_request() {
    let server = Server::shared();
    let archive = |name: &str, kind| {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_cksum();
        let rest = tar(&[("main.py", "print(1)")]);
        [&header.as_bytes()[..], &rest[..]].concat()
    };
    let send = |archive: &[u8]| {
        let form = Form::new().field("tar", "; filename=\"code.tar\"", archive).field("metadata", "", b"{}");
        server.post_form("/api/v1/exec/sync", &[], &form)
    };
    for name in ["../up.py", "a/../../up.py"] {
        let answer = send(&archive(name, tar::EntryType::Regular));
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(could_not_run(&answer.json()).contains("'..'"));
    }
    let whole = tar(&[("main.py", "print(1)"), ("data", "x".repeat(5000).as_str())]);
    for damaged in [b"no archive".repeat(100), whole[..4000].to_vec()] {
        let answer = send(&damaged);
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.error().starts_with("reading tar: "), "{}", answer.error());
    }
}

#[test]
fn eval_takes_what_a_script_can_be_given() {
    let server = Server::shared();
    let result = server.eval(&json!({
        "code": "import os, sys\nprint(sys.argv[1:], os.environ['A'], os.environ['B'], sys.stdin.read())",
        "script_args": ["a b", "ü"], "env_vars": ["A=1=2", "B="], "stdin": "in\nput",
    }));
    assert_eq!(result["stdout"], "['a b', 'ü'] 1=2  in\nput\n", "{result}");
}

#[test]
fn the_entrypoint_is_main_py_or_else_the_first_file() {
    let server = Server::shared();
    let file = |name: &str| json!({"name": name, "content": "import sys; print(sys.argv[0])"});
    for (files, entrypoint, ran) in [
        (json!([file("b.py"), file("a.py")]), "", "b.py\n"),
        (json!([file("b.py"), file("main.py")]), "", "main.py\n"),
        (json!([file("b.py"), file("main.py"), file("c/d.py")]), "c/d.py", "c/d.py\n"),
    ] {
        let result = server.eval(&json!({"files": files, "entrypoint": entrypoint}));
        assert_eq!(result["stdout"], ran, "{result}");
    }
    let result = server.eval(&json!({"code": "import sys; print(sys.argv[0])", "entrypoint": "app.py"}));
    assert_eq!(result["stdout"], "app.py\n");
    let wrong = json!({"files": [file("a.py")], "entrypoint": "b.py"});
    assert_eq!(server.failed(&wrong), "the project has no file \"b.py\" (it has a.py)");
}

#[test]
fn a_function_of_the_script_can_be_called() {
    let server = Server::shared();
    let code = "def main(a=1, b=2): return {'sum': a + b}";
    for (call, sum) in [
        (json!("main"), 3),
        (json!({"name": "main", "arguments": [10]}), 12),
        (json!({"name": "main", "arguments": {"b": 10}}), 11),
        (json!({"name": "main", "arguments": null}), 3),
    ] {
        let result = server.eval(&json!({"code": code, "entry_function": call}));
        assert_eq!(result["result"], format!("{{'sum': {sum}}}"), "{result}");
        assert_eq!(result["result_json"], json!({"sum": sum}));
    }
    let wrong = json!({"code": code, "entry_function": {"name": "main", "arguments": 7}});
    let wrong = server.post_json("/api/v1/eval", &wrong);
    assert_eq!(wrong.status, 400);
    assert!(wrong.error().contains("must be a JSON array or object"), "{}", wrong.text());
}

#[test]
fn files_come_back_when_asked_for() {
    let server = Server::shared();
    let code = "import os\nos.mkdir('out')\nopen('out/ä b.txt', 'w').write('text')\nopen('raw', 'wb').write(bytes([0, 255]))\n\
                open('big', 'w').write('x' * 100_000)";
    let result = server.eval(&json!({"code": code, "collect_files": true}));
    let id = result["execution_id"].as_str().expect("an id");
    let files = result["files"].as_array().expect("files");
    let file =
        |path: &str| files.iter().find(|file| file["path"] == path).unwrap_or_else(|| panic!("{path}: {result}"));
    let url = format!("/api/v1/executions/{id}/files/out/%C3%A4%20b.txt");
    assert_eq!(file("out/ä b.txt"), &json!({"path": "out/ä b.txt", "size": 4, "url": url, "content": "text"}));
    assert_eq!(file("raw")["content_base64"], "AP8=");
    assert_eq!(file("raw").get("content"), None);
    assert_eq!(file("big").get("content"), None, "large files have to be fetched");
    assert_eq!(files.len(), 3, "main.py did not change: {result}");
    for (path, content) in [("out/ä b.txt", b"text".to_vec()), ("raw", vec![0, 255]), ("big", vec![b'x'; 100_000])] {
        let answer = server.get(file(path)["url"].as_str().expect("a URL"));
        assert_eq!((answer.status, answer.body.as_slice()), (200, content.as_slice()));
        assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
        assert_eq!(answer.header("content-disposition"), Some("attachment"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    for path in ["nothing", "main.py", "../raw", "..%2fraw", "out", "%2fetc%2fpasswd", "out/../raw"] {
        let answer = server.get(&format!("/api/v1/executions/{id}/files/{path}"));
        assert_eq!(answer.status, 404, "{path}");
        answer.error();
    }
    assert_eq!(server.eval(&json!({"code": code})).get("files"), None);
}

#[test]
fn a_project_keeps_its_folders_and_data_and_gives_files_back() {
    let server = Server::shared();
    let metadata = json!({"entrypoint": "app/run.py", "collect_files": true}).to_string();
    let form = Form::new()
        .field("ignored", "", b"whatever")
        .field("metadata", "; filename=\"metadata.json\"", metadata.as_bytes())
        .tar(&[("app/run.py", "print(open('data.txt').read())\nopen('new', 'w').write('1')"), ("data.txt", "data")]);
    let answer = server.post_form("/api/v1/exec/sync", &[], &form);
    let result = answer.json();
    assert_eq!((answer.status, &result["stdout"]), (200, &json!("data\n")), "{result}");
    assert_eq!(result["files"][0]["path"], "new");
}

#[test]
fn what_needs_a_container_is_refused_by_name() {
    let server = Server::shared();
    for (field, value, need) in [
        ("python_version", json!("3.12"), "asks for Python 3.12"),
        ("docker_image", json!("python:3.12-slim"), "asks for the image python:3.12-slim"),
        ("pre_commands", json!(["apt-get update"]), "has pre_commands"),
        ("executor", json!("docker"), "asks for docker"),
    ] {
        let mut request = json!({"code": "1"});
        request[field] = value;
        let result = server.eval(&request);
        let error = could_not_run(&result);
        assert!(
            error.contains(need) && result["hint"].as_str().is_some_and(|hint| hint.contains("PYEXEC_FALLBACK")),
            "{error}"
        );
    }
    for (field, value) in
        [("python_version", "3.14"), ("requirements_txt", "-"), ("executor", "wasm"), ("executor", "auto")]
    {
        assert_eq!(server.eval(&json!({"code": "1", field: value}))["status"], "completed");
    }
}

#[test]
fn an_async_execution_is_pending_or_running_and_then_has_its_result() {
    let server = Server::shared();
    let id = server.submit("print('done')", &[]);
    assert!(is_id(&id));
    let result = server.result_of(&id);
    assert_eq!((&result["status"], &result["stdout"]), (&json!("completed"), &json!("done\n")));
    assert!(
        is_time(result["started_at"].as_str().expect("text")) && is_time(result["finished_at"].as_str().expect("text"))
    );
    // Again and again, unchanged.
    assert_eq!(server.get(&format!("/api/v1/executions/{id}")).json(), result);
}

#[test]
fn a_pending_execution_has_no_times_and_can_be_killed() {
    let server = Server::start(&[("PYEXEC_SLOTS", "1")], &[]);
    let running = server.submit("import os, time\nos.write(1, b'one\\n')\ntime.sleep(1000)", &[]);
    server.runs_now(&running);
    let waiting = server.submit("print('two')", &[]);
    let pending = server.get(&format!("/api/v1/executions/{waiting}")).json();
    assert_eq!((&pending["status"], &pending["exit_code"]), (&json!("pending"), &json!(0)));
    assert_eq!((&pending["stdout"], &pending["stderr"]), (&json!(""), &json!("")));
    for absent in ["started_at", "finished_at", "error", "result", "executor", "files"] {
        assert_eq!(pending.get(absent), None, "{absent}");
    }
    assert_eq!(server.delete(&format!("/api/v1/executions/{waiting}")).text(), r#"{"status":"killed"}"#);
    let killed = server.result_of(&waiting);
    assert_eq!((&killed["status"], &killed["stdout"]), (&json!("killed"), &json!("")));
    assert_eq!(killed.get("started_at"), None, "it never ran");

    server.has_printed(&running);
    assert_eq!(server.delete(&format!("/api/v1/executions/{running}")).text(), r#"{"status":"killed"}"#);
    let killed = server.result_of(&running);
    assert_eq!(
        (&killed["status"], &killed["stdout"], &killed["error_kind"]),
        (&json!("killed"), &json!("one\n"), &json!("killed"))
    );
    // The slot is free again.
    assert_eq!(server.eval(&json!({"code": "print(3)"}))["stdout"], "3\n");
}

#[test]
fn lists_are_newest_first_paged_and_filtered() {
    let server = Server::start(&[("PYEXEC_SLOTS", "4")], &[]);
    let ids: Vec<_> = (0..5).map(|n| server.submit(&format!("print({n})"), &[])).collect();
    ids.iter().for_each(|id| drop(server.result_of(id)));
    let running = server.submit("import time; time.sleep(1000)", &[]);
    server.runs_now(&running);

    let mut seen = Vec::new();
    let mut query = "limit=4".to_owned();
    let mut pages = 0;
    loop {
        let page = server.get(&format!("/api/v1/executions?{query}")).json();
        let executions = page["executions"].as_array().expect("a list").clone();
        seen.extend(executions.iter().map(|execution| execution["execution_id"].as_str().expect("text").to_owned()));
        pages += 1;
        let Some(next) = page.get("next") else { break };
        query = format!("limit=4&after={}", next.as_str().expect("text"));
    }
    let newest_first: Vec<_> = ids.iter().chain([&running]).rev().cloned().collect();
    assert_eq!((seen, pages), (newest_first, 2));

    let page = server.get("/api/v1/executions?status=running").json();
    assert_eq!(page["executions"].as_array().expect("a list").len(), 1);
    let execution = &page["executions"][0];
    assert_eq!((&execution["execution_id"], &execution["status"]), (&json!(running), &json!("running")));
    assert!(is_time(execution["created_at"].as_str().expect("text")));
    assert_eq!(execution.get("finished_at"), None);
    let page = server.get("/api/v1/executions?status=completed&limit=200").json();
    assert_eq!(page["executions"].as_array().expect("a list").len(), 5);
    assert_eq!(page["executions"][0]["exit_code"], 0);
    assert!(is_time(page["executions"][0]["finished_at"].as_str().expect("text")));
    for query in ["limit=0", "limit=201", "limit=-1", "limit=x", "status=finished", "after=exe_nonsense"] {
        let answer = server.get(&format!("/api/v1/executions?{query}"));
        assert_eq!(answer.status, 400, "{query}");
        answer.error();
    }
}

#[test]
fn events_tell_all_that_happens_and_end_with_the_result() {
    let server = Server::shared();
    // print writes the end of the line by itself, and who is quick gets it by itself.
    let code = "import os, time\nos.write(1, b'a\\n')\ntime.sleep(.2)\nos.write(2, b'b\\n')\ntime.sleep(.2)\nos.write(1, b'c\\n')";
    let id = server.submit(code, &[]);
    let events: Vec<_> = server.follow("GET", &format!("/api/v1/executions/{id}/events"), &[], b"").collect();
    let result = server.result_of(&id);
    let seen: Vec<_> = events.iter().map(|event| (event.id, event.kind.as_str(), event.data.clone())).collect();
    assert_eq!(
        seen,
        [
            (1, "state", json!({"status": "pending", "execution_id": id})),
            (2, "state", json!({"status": "running"})),
            (3, "stdout", json!({"text": "a\n"})),
            (4, "stderr", json!({"text": "b\n"})),
            (5, "stdout", json!({"text": "c\n"})),
            (6, "state", json!({"status": "completed"})),
            (7, "result", result),
        ]
    );
    // The same later, and from any event on.
    let later: Vec<_> = server.follow("GET", &format!("/api/v1/executions/{id}/events"), &[], b"").collect();
    assert_eq!(later, events);
    for last in [0, 1, 4, 6, 7, 99] {
        let header = last.to_string();
        let headers = [("last-event-id", header.as_str())];
        let rest: Vec<_> = server.follow("GET", &format!("/api/v1/executions/{id}/events"), &headers, b"").collect();
        assert_eq!(rest, events.get(last..).unwrap_or_default(), "after {last}");
    }
    for last in ["x", "-1", "1.5"] {
        let answer = server.call("GET", &format!("/api/v1/executions/{id}/events"), &[("last-event-id", last)], b"");
        assert_eq!((answer.status, answer.error().as_str()), (400, "Last-Event-ID must be the number of an event"));
    }
    let answer = server.get("/api/v1/executions/exe_nonsense/events");
    assert_eq!((answer.status, answer.error().as_str()), (404, "execution not found"));
}

#[test]
fn events_come_while_the_script_runs() {
    let server = Server::shared();
    let body = json!({"code": "print('first', flush=True)\nprint(input())", "stream": true, "stdin": "x"});
    let id = server.submit("import os, time\nos.write(1, b'first\\n')\ntime.sleep(1000)", &[]);
    let mut events = server.follow("GET", &format!("/api/v1/executions/{id}/events"), &[], b"");
    assert!(events.any(|event| event.kind == "stdout" && event.data["text"] == "first\n"));
    server.delete(&format!("/api/v1/executions/{id}"));
    let last = events.last().expect("a result");
    assert_eq!((last.kind.as_str(), &last.data["status"]), ("result", &json!("killed")));

    let events: Vec<Event> = server.follow("POST", "/api/v1/eval", &[], body.to_string().as_bytes()).collect();
    let first = events.first().expect("events");
    assert_eq!((first.id, first.kind.as_str(), &first.data["status"]), (1, "state", &json!("pending")));
    assert!(is_id(first.data["execution_id"].as_str().expect("text")));
    let last = events.last().expect("a result");
    assert_eq!((last.kind.as_str(), &last.data["stdout"]), ("result", &json!("first\nx\n")));
    let text: String =
        events.iter().filter(|event| event.kind == "stdout").filter_map(|event| event.data["text"].as_str()).collect();
    assert_eq!(text, "first\nx\n");
    // What is refused is refused as without a stream.
    let answer = server.post_json("/api/v1/eval", &json!({"stream": true}));
    assert_eq!((answer.status, answer.error().as_str()), (400, "either 'code' or 'files' must be provided"));
}

#[test]
fn a_follower_is_told_what_it_missed() {
    let server = Server::shared();
    let id = server.submit("for i in range(100):\n    print('x' * 100_000)", &[]);
    server.result_of(&id);
    let path = format!("/api/v1/executions/{id}/events");
    let events: Vec<_> = server.follow("GET", &path, &[], b"").collect();
    let at = events.iter().position(|event| event.kind == "lagged").expect("10 MB are not kept");
    let (before, gap, after) = (&events[at - 1], &events[at], &events[at + 1]);
    let missed = gap.data["missed"].as_u64().expect("a number");
    assert_eq!((before.kind.as_str(), after.kind.as_str()), ("state", "stdout"));
    assert_eq!(gap.id, before.id + missed);
    assert_eq!(after.id, gap.id + 1, "resuming from the gap goes on behind it");
    assert_eq!(events.last().expect("events").kind, "result");
    let inside = (before.id + 1).to_string();
    let rest: Vec<_> = server.follow("GET", &path, &[("last-event-id", &inside)], b"").collect();
    assert_eq!((rest[0].kind.as_str(), &rest[0].data), ("lagged", &json!({"missed": missed - 1})));
    assert_eq!(rest[1..], events[at + 1..]);
}

#[test]
fn an_ended_execution_is_kept_for_its_time_and_then_gone() {
    let server = Server::start(&[("PYEXEC_CLEANUP_TTL", "3")], &[]);
    let id = server.submit("print(1)", &[]);
    server.result_of(&id);
    let path = format!("/api/v1/executions/{id}");
    assert_eq!(server.get(&path).status, 200);
    let gone = until("it is forgotten", || Some(server.get(&path)).filter(|answer| answer.status != 200));
    assert_eq!((gone.status, gone.error().as_str()), (404, "execution not found"));
    assert_eq!(server.get(&format!("{path}/events")).status, 404);
    assert_eq!(server.delete(&path).status, 404);
    assert_eq!(server.get("/api/v1/executions").json(), json!({"executions": []}));
    assert_eq!(server.metric("pyexec_results_kept"), Some(0.0));
}

#[test]
fn the_same_idempotency_key_and_request_run_once() {
    let server = Server::shared();
    let key = [("idempotency-key", "the_same_idempotency_key")];
    let eval = |code: &str| server.call("POST", "/api/v1/eval", &key, json!({"code": code}).to_string().as_bytes());
    let first = eval("import uuid; print(uuid.uuid4())");
    let again = eval("import uuid; print(uuid.uuid4())");
    assert_eq!((first.status, first.json()), (200, again.json()));
    let other = eval("print(2)");
    assert_eq!(other.status, 409);
    assert_eq!(other.error(), "this Idempotency-Key was used for another request: use a new key");
    assert_eq!(other.json()["code"], "conflict");

    let first = server.submit("print(1)", &[("idempotency-key", "of a project")]);
    assert_eq!(server.submit("print(1)", &[("idempotency-key", "of a project")]), first);
    assert_ne!(server.submit("print(1)", &[("idempotency-key", "another")]), first);
    let form = Form::new().tar(&[("main.py", "print(2)")]).field("metadata", "", br#"{"entrypoint":"main.py"}"#);
    let other = server.post_form("/api/v1/exec/async", &[("idempotency-key", "of a project")], &form);
    assert_eq!(other.status, 409);

    for bad in ["", &"k".repeat(256)] {
        let answer = server.call("POST", "/api/v1/eval", &[("idempotency-key", bad)], br#"{"code":"1"}"#);
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (400, "Idempotency-Key must be 1 to 255 ASCII characters")
        );
    }
}

#[test]
fn two_requests_at_once_with_one_idempotency_key_share_one_execution() {
    let server = Server::start(&[], &[]);
    let body = json!({"code": "import time, uuid\ntime.sleep(1)\nprint(uuid.uuid4())"}).to_string();
    let call = || server.call("POST", "/api/v1/eval", &[("idempotency-key", "one")], body.as_bytes()).json();
    let (one, other) = thread::scope(|scope| {
        let one = scope.spawn(call);
        let other = scope.spawn(call);
        (one.join().expect("no panic"), other.join().expect("no panic"))
    });
    assert_eq!(one, other);
    assert_eq!(one["status"], "completed");
    assert_eq!(server.get("/api/v1/executions").json()["executions"].as_array().expect("a list").len(), 1);
}

#[test]
fn a_key_sees_its_own_executions_only() {
    let server = Server::start(&[("PYEXEC_API_KEYS", "a:aaaaaaaaaaaaaaaa,b:bbbbbbbbbbbbbbbb")], &[]);
    let (a, b) = (("x-api-key", "aaaaaaaaaaaaaaaa"), ("x-api-key", "bbbbbbbbbbbbbbbb"));
    let same = ("idempotency-key", "same");
    let id = server.submit("open('f', 'w').write('secret')\nimport time; time.sleep(1000)", &[a, same]);
    for (method, path) in [
        ("GET", format!("/api/v1/executions/{id}")),
        ("DELETE", format!("/api/v1/executions/{id}")),
        ("GET", format!("/api/v1/executions/{id}/events")),
    ] {
        let answer = server.call(method, &path, &[b], b"");
        assert_eq!((answer.status, answer.error().as_str()), (404, "execution not found"), "{method} {path}");
    }
    let file = server.call("GET", &format!("/api/v1/executions/{id}/files/f"), &[b], b"");
    assert_eq!((file.status, file.error().as_str()), (404, "execution not found"));
    assert_eq!(server.call("GET", "/api/v1/executions", &[b], b"").json(), json!({"executions": []}));
    let after = server.call("GET", &format!("/api/v1/executions?after={id}"), &[b], b"");
    let unknown = server.call("GET", "/api/v1/executions?after=exe_unknown", &[b], b"");
    assert_eq!((after.status, after.error()), (unknown.status, unknown.error()), "others' ids look like no ids");
    // The same idempotency key is another one.
    let other = server.submit("print('other')", &[b, same]);
    assert_ne!(other, id);

    let status = server.call("GET", &format!("/api/v1/executions/{id}"), &[a], b"").json();
    assert!(matches!(status["status"].as_str(), Some("pending" | "running")), "{status}");
    let list = server.call("GET", "/api/v1/executions", &[a], b"").json();
    assert_eq!(list["executions"].as_array().expect("a list").len(), 1);
    assert_eq!(server.call("DELETE", &format!("/api/v1/executions/{id}"), &[a], b"").status, 200);
}

#[test]
fn the_document_has_every_route() {
    let server = Server::shared();
    let document = server.get("/docs/doc.json");
    assert_eq!((document.status, document.header("content-type")), (200, Some("application/json")));
    let document = document.json();
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.")));
    let mut routes = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        routes.extend(methods.as_object().expect("methods").keys().map(|method| format!("{method} {path}")));
    }
    let expected = [
        "delete /api/v1/environments/{id}",
        "delete /api/v1/executions/{id}",
        "delete /api/v1/sessions/{id}",
        "delete /api/v1/sessions/{id}/files/{path}",
        "delete /api/v1/workspaces/{id}",
        "delete /api/v1/workspaces/{id}/files/{path}",
        "get /api/v1/environments",
        "get /api/v1/environments/{id}",
        "get /api/v1/executions",
        "get /api/v1/executions/{id}",
        "get /api/v1/executions/{id}/events",
        "get /api/v1/executions/{id}/files/{path}",
        "get /api/v1/sessions",
        "get /api/v1/sessions/{id}",
        "get /api/v1/sessions/{id}/checkpoints",
        "get /api/v1/sessions/{id}/files",
        "get /api/v1/sessions/{id}/files/{path}",
        "get /api/v1/sessions/{id}/variables",
        "get /api/v1/workspaces",
        "get /api/v1/workspaces/{id}",
        "get /api/v1/workspaces/{id}/archive",
        "get /api/v1/workspaces/{id}/files",
        "get /api/v1/workspaces/{id}/files/{path}",
        "get /download",
        "get /health",
        "get /metrics",
        "get /status/{task_type}/{task_id}",
        "post /api/v1/environments",
        "post /api/v1/eval",
        "post /api/v1/eval/continue",
        "post /api/v1/exec/async",
        "post /api/v1/exec/sync",
        "post /api/v1/sessions",
        "post /api/v1/sessions/{id}/calls",
        "post /api/v1/sessions/{id}/calls/continue",
        "post /api/v1/sessions/{id}/checkpoints/{name}",
        "post /api/v1/sessions/{id}/complete",
        "post /api/v1/sessions/{id}/fork",
        "post /api/v1/sessions/{id}/inspect",
        "post /api/v1/sessions/{id}/interrupt",
        "post /api/v1/sessions/{id}/is_complete",
        "post /api/v1/workspaces",
        "post /api/v1/workspaces/{id}/archive",
        "post /execute",
        "post /install",
        "post /terminate",
        "post /upload",
        "put /api/v1/sessions/{id}/checkpoints/{name}",
        "put /api/v1/sessions/{id}/files/{path}",
        "put /api/v1/workspaces/{id}/files/{path}",
    ];
    assert_eq!(routes.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    // Each of them is there: what is not has another error.
    for route in &routes {
        let (method, path) = route.split_once(' ').expect("two words");
        let answer = server.call(&method.to_uppercase(), &path.replace(['{', '}'], ""), &[], b"");
        assert!(!answer.text().contains("no such path") && answer.status != 405, "{route}: {}", answer.text());
    }
    // The fields of the wire are described.
    let schemas = &document["components"]["schemas"];
    for (schema, fields) in [
        ("EvalRequest", &["code", "files", "config", "env_vars", "script_args", "stream", "collect_files"][..]),
        ("Metadata", &["entrypoint", "stdin", "env_vars", "pre_commands"]),
        ("ExecutionResult", &["execution_id", "status", "exit_code", "stdout", "usage"]),
        ("ErrorBody", &["error", "code", "request_id"]),
    ] {
        let described = schemas[schema].to_string();
        for field in fields {
            assert!(described.contains(&format!("\"{field}\"")), "{schema} has no {field}: {described}");
        }
    }
}

/// Those that Swagger UI sends as they are.
#[test]
fn examples_of_bodies_in_the_document_work() {
    let server = Server::shared();
    let document = server.get("/docs/doc.json").json();
    let eval = &document["paths"]["/api/v1/eval"]["post"]["requestBody"]["content"]["application/json"]["examples"];
    let eval = eval.as_object().expect("examples");
    assert!(eval.len() >= 4, "{eval:?}");
    for (name, example) in eval {
        let body = example["value"].to_string();
        let answer = server.call("POST", "/api/v1/eval", &[("content-type", "application/json")], body.as_bytes());
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        let reached =
            if name == "tools" { r#""status":"tool_call_required""# } else { r#""status":"completed","exit_code":0"# };
        assert!(answer.text().contains(reached), "{name}: {}", answer.text());
    }
    let metadata = document["components"]["schemas"]["Metadata"]["example"].to_string();
    let form = Form::new().tar(&[("main.py", "print('run')")]).field("metadata", "", metadata.as_bytes());
    let answer = server.post_form("/api/v1/exec/sync", &[], &form);
    assert_eq!((answer.status, &answer.json()["stdout"]), (200, &json!("run\n")), "{metadata}: {}", answer.text());
}

#[test]
fn the_docs_load_from_this_server_only() {
    let server = Server::shared();
    assert_eq!(server.get("/docs").header("location"), Some("/docs/"));
    let page = server.get("/docs/");
    assert_eq!(page.status, 200);
    let page = page.text();
    let mut assets = 0;
    for attribute in ["src=\"", "href=\""] {
        for asset in page.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(!asset.contains("//"), "{asset} is elsewhere");
            let answer = server.get(&format!("/docs/{}", asset.trim_start_matches("./")));
            assert!(answer.status == 200 && !answer.body.is_empty(), "{asset}");
            assets += 1;
        }
    }
    assert!(assets >= 5, "{page}");
    let start = server.get("/docs/swagger-initializer.js").text();
    assert!(start.contains(r#""validatorUrl": "none""#), "Swagger UI asks a service elsewhere: {start}");
    assert!(start.contains("/docs/doc.json") && !start.contains("http://") && !start.contains("https://"), "{start}");
    let missing = server.get("/docs/nothing.js");
    assert_eq!(missing.status, 404);
    missing.error();
}

#[test]
fn the_page_is_there_and_loads_nothing() {
    let answer = Server::shared().get("/");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let page = answer.text();
    assert!(page.contains("<html") && !page.contains("{{"), "placeholders are filled in");
    assert!(!page.contains(" src=") && !page.contains("@import") && !page.contains("url("));
    for link in page.split("<link ").skip(1) {
        let target = link.split("href=\"").nth(1).expect("a target");
        assert!(target.starts_with("data:"), "{}", target.chars().take(60).collect::<String>());
    }
}

#[test]
fn health_tells_details_only_to_those_with_a_key() {
    let server = Server::start(&[("PYEXEC_API_KEYS", "aaaaaaaaaaaaaaaa"), ("PYEXEC_SLOTS", "3")], &[]);
    for headers in [&[][..], &[("x-api-key", "wrong")], &[("authorization", "nonsense")]] {
        let answer = server.call("GET", "/health", headers, b"");
        assert_eq!((answer.status, answer.text().as_str()), (200, r#"{"status":"ok"}"#));
    }
    let health = server.call("GET", "/health", &[("x-api-key", "aaaaaaaaaaaaaaaa")], b"").json();
    assert_eq!((&health["status"], &health["slots"], &health["busy"]), (&json!("ok"), &json!(3), &json!(0)));
    assert_eq!((&health["executors"], &health["state"]), (&json!(["wasm"]), &json!("memory")));
    assert_eq!(health["python"], pyexec::PYTHON_VERSION);
    let health = Server::shared().get("/health").json();
    assert!(health["status"] == "ok" && health["slots"].is_u64(), "without keys everyone sees them");
}

#[test]
fn metrics_count_what_happens() {
    let server = Server::start(&[("PYEXEC_SLOTS", "2"), ("PYEXEC_API_KEYS", "aaaaaaaaaaaaaaaa")], &[]);
    let key = ("x-api-key", "aaaaaaaaaaaaaaaa");
    let run = |code: &str| {
        server.call(
            "POST",
            "/api/v1/eval",
            &[key],
            json!({"code": code, "config": {"timeout_seconds": 1}}).to_string().as_bytes(),
        )
    };
    run("1");
    run("raise Exception");
    run("while True: pass");
    server.get("/api/v1/executions/secret-path");
    let answer = server.call("GET", "/metrics", &[key], b"");
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("application/openmetrics-text")));
    let metrics = answer.text();
    for line in [
        "pyexec_executions_total{tier=\"wasm\",status=\"completed\",error_kind=\"none\"} 2",
        "pyexec_executions_total{tier=\"wasm\",status=\"failed\",error_kind=\"time_limit\"} 1",
        "pyexec_limits_hit_total{limit=\"wall_clock\"} 1",
        "pyexec_http_requests_total{route=\"/api/v1/eval\",method=\"POST\",code=\"200\"} 3",
        "pyexec_http_requests_total{route=\"/api/v1/executions/{id}\",method=\"GET\",code=\"401\"} 1",
        "pyexec_rejected_total{reason=\"unauthorized\"} 1",
        "pyexec_slots{tier=\"wasm\"} 2",
        "pyexec_slots_busy{tier=\"wasm\"} 0",
        "pyexec_queue_length{tier=\"wasm\"} 0",
        "pyexec_results_kept 3",
        "# EOF",
    ] {
        assert!(metrics.lines().any(|l| l == line), "no line {line} in\n{metrics}");
    }
    assert!(!metrics.contains("secret-path"));
    let answer = server.get("/metrics");
    assert_eq!(answer.status, 401, "they tell what others do");
    answer.error();
}

#[test]
fn of_several_scripts_without_a_usual_one_an_upload_must_name_its_own() {
    let server = Server::shared();
    let send = |metadata: &[u8]| {
        let form = Form::new().tar(&[("a.py", "print('a')"), ("b.py", "print('b')")]).field("metadata", "", metadata);
        server.post_form("/api/v1/exec/sync", &[], &form).json()
    };
    let result = send(b"{}");
    assert!(could_not_run(&result).contains("a.py, b.py"), "{result}");
    assert!(result["hint"].as_str().is_some_and(|hint| hint.contains("\"entrypoint\"")), "{result}");
    assert_eq!(send(br#"{"entrypoint": "b.py"}"#)["stdout"], "b\n");
    // Files of an evaluation have always run from the first one, which is told.
    let files = json!([{"name": "a.py", "content": "print('a')"}, {"name": "b.py", "content": "print('b')"}]);
    let result = server.eval(&json!({"files": files}));
    assert_eq!(result["stdout"], "a\n");
    assert!(result["warnings"][0].as_str().is_some_and(|warning| warning.contains("\"a.py\"")), "{result}");
}

#[test]
fn limits_of_0_are_the_defaults_which_is_told() {
    let server = Server::shared();
    let result = server.eval(&json!({"code": "print(1)", "config": {"timeout_seconds": 0, "memory_mb": 256}}));
    assert_eq!(result["stdout"], "1\n");
    assert_eq!(result["warnings"], json!(["config.timeout_seconds is 0, which stands for this server's default"]));
}

#[test]
fn an_archive_that_is_compressed_is_refused_with_what_to_send() {
    let server = Server::shared();
    let send = |archive: &[u8]| {
        let form = Form::new().field("tar", "; filename=\"code.tar\"", archive).field("metadata", "", b"{}");
        server.post_form("/api/v1/exec/sync", &[], &form)
    };
    for (start, name) in [(&b"\x1f\x8b\x08\0\0\0\0\0"[..], "gzip"), (b"PK\x03\x04\0\0\0\0", "zip")] {
        let answer = send(start);
        assert_eq!((answer.status, answer.error()), (400, format!("reading tar: it is packed with {name}")));
        assert_eq!(answer.json()["hint"], "send a tar archive that is not compressed");
    }
}

#[test]
fn a_slip_in_a_name_is_a_refused_request() {
    let server = Server::shared();
    let answer = server.post_json("/api/v1/eval", &json!({"code": "1", "tiemout": 5}));
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.error().contains("\"tiemout\"") && answer.error().contains("timeout_seconds"), "{}", answer.error());
}
