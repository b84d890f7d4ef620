//! What sessions of cells promise, on each tier. To add a promise, write the function and name it in the list.

use super::Door;
use pyexec::{
    Event, Limits, Outcome, Project, Stdin,
    executor::{Call, Interrupt, Question, Run, Session, Tool, ToolError, ToolResult, tools},
    outcome::{Ending, JsonText, LimitHit, StopReason},
};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

macro_rules! promises {
    ($executor:expr) => {
        $crate::contract::sessions::promises!(
            $executor,
            names_live_on
            the_last_value_is_kept
            an_exception_ends_only_its_call
            exit_ends_only_its_call
            tracebacks_and_inspect_have_the_lines
            top_level_await_has_one_loop
            each_call_has_its_own_input
            a_call_out_of_time_keeps_the_session
            a_sleep_out_of_time_keeps_the_session
            a_call_that_goes_on_all_the_same_takes_the_session
            a_call_can_be_interrupted
            files_stay_between_calls
            variables_are_told
            code_is_completed
            tools_are_called
            tools_that_are_awaited_come_together
            numbers_of_tools_are_whole
            tools_fail_where_they_are_called
            undeclared_tools_are_no_names
            time_waits_for_tools
            output_and_usage_are_of_each_call
            output_comes_as_it_is_printed
            objects_are_shown_in_all_their_formats
            what_is_shown_is_bounded
            values_without_formats_are_shown_as_text
        );
    };
    ($executor:expr, $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                if let Some(executor) = $executor {
                    $crate::contract::suite::block_on(async {
                        let mut cells = $crate::contract::sessions::Cells::open(&executor).await;
                        $crate::contract::sessions::$name(&mut cells).await;
                    });
                }
            }
        )*
    };
}
pub(crate) use promises;

/// A session, and how many calls it has had.
pub struct Cells {
    session: Box<dyn Session>,
    calls: u64,
    limits: Limits,
}

impl Cells {
    pub async fn open(door: &Door) -> Cells {
        let limits = Limits { wall_clock_ms: 5_000, ..Limits::default() };
        let session = door.open(Project::script("x = 'not run'"), limits).await;
        Cells { session, calls: 0, limits }
    }

    async fn call_with(&mut self, code: &str, change: impl FnOnce(Call) -> Call) -> Outcome {
        self.calls += 1;
        let call = change(Call::cell(self.calls, code.to_owned(), self.limits));
        match self.session.call(call, Box::new(|_: Event<'_>| ())).await.expect("a call") {
            Run::Ended(outcome) => *outcome,
            Run::Missed(miss, _) => panic!("stopped at {miss:?}"),
        }
    }

    async fn call(&mut self, code: &str) -> Outcome {
        self.call_with(code, |call| call).await
    }

    /// Runs a cell that must succeed, and returns its value.
    async fn value(&mut self, code: &str) -> String {
        let outcome = self.call(code).await;
        assert!(outcome.success(), "{code}\n{outcome:#?}");
        outcome.result.unwrap_or_default()
    }

    /// Runs a cell that must succeed, and returns its output.
    async fn output(&mut self, code: &str) -> String {
        let outcome = self.call(code).await;
        assert!(outcome.success(), "{code}\n{outcome:#?}");
        outcome.stdout.text
    }

    /// Runs a cell whose calls of tools are answered by `answer`, and returns the batches as well.
    async fn with_tools(
        &mut self,
        code: &str,
        declared: Vec<Tool>,
        answer: impl Fn(&str, &[Value], &Value) -> Result<Value, ToolError>,
    ) -> (Outcome, Vec<usize>) {
        let (port, mut desk) = tools(declared).expect("tools");
        let mut batches = Vec::new();
        let answering = async {
            while let Some(calls) = desk.calls.recv().await {
                batches.push(calls.len());
                for call in calls {
                    let args: Vec<Value> = call.args.parse().expect("a list");
                    let end = answer(&call.name, &args, &call.kwargs.parse().expect("an object"));
                    desk.results.send(ToolResult::new(call.id, end.map(JsonText::from))).expect("somebody waits");
                }
            }
        };
        let (outcome, ()) = tokio::join!(self.call_with(code, |call| call.tools(port)), answering);
        (outcome, batches)
    }
}

pub async fn names_live_on(cells: &mut Cells) {
    assert_eq!(cells.value("x = 1\ndef f(n):\n    return n + x").await, "");
    assert_eq!(cells.value("x += 1").await, "");
    assert_eq!(cells.value("f(40)").await, "42");
    assert_eq!(cells.value("__name__").await, "'__main__'");
    assert_eq!(cells.value("import json as j").await, "");
    assert_eq!(cells.output("print(j.dumps([x]))").await, "[2]\n");
}

pub async fn the_last_value_is_kept(cells: &mut Cells) {
    assert_eq!(cells.value("6 * 7").await, "42");
    assert_eq!(cells.value("_ + 1").await, "43");
    assert_eq!(cells.value("None").await, "");
    assert_eq!(cells.value("_").await, "43");
}

pub async fn an_exception_ends_only_its_call(cells: &mut Cells) {
    cells.value("kept = [1]").await;
    let outcome = cells.call("kept.append(2)\nundefined\nkept.append(3)").await;
    assert_eq!(outcome.ending, Ending::Exited { exit_code: 1 });
    let exception = outcome.exception.expect("an exception");
    assert_eq!((&*exception.kind, exception.line), ("NameError", Some(2)));
    assert_eq!(exception.frames.last().map(|frame| (&*frame.file, frame.line)), Some(("<cell 2>", 2)));
    assert_eq!(cells.value("kept").await, "[1, 2]");
    let outcome = cells.call("if:").await;
    assert_eq!(outcome.exception.expect("an exception").kind, "SyntaxError");
    assert_eq!(cells.value("len(kept)").await, "2");
}

pub async fn exit_ends_only_its_call(cells: &mut Cells) {
    let outcome = cells.call("import sys\ny = 5\nsys.exit(3)").await;
    assert_eq!(outcome.ending, Ending::Exited { exit_code: 3 });
    assert_eq!(cells.value("y").await, "5");
}

pub async fn tracebacks_and_inspect_have_the_lines(cells: &mut Cells) {
    cells.value("def divide(a, b):\n    # by what it is\n    return a / b").await;
    let outcome = cells.call("z = 1\ndivide(z, 0)").await;
    let text = &outcome.stderr.text;
    for part in [
        "File \"<cell 2>\", line 2, in <module>\n    divide(z, 0)",
        "File \"<cell 1>\", line 3, in divide\n    return a / b",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    assert!(!text.contains("pyexec"), "{text}");
    let source = cells.output("import inspect\nprint(inspect.getsource(divide), end='')").await;
    assert_eq!(source, "def divide(a, b):\n    # by what it is\n    return a / b\n");
}

pub async fn top_level_await_has_one_loop(cells: &mut Cells) {
    let start = "import asyncio\nqueue = asyncio.Queue()\nasync def put():\n    for n in range(3):\n        \
                 await asyncio.sleep(0.01)\n        await queue.put(n)\ntask = asyncio.create_task(put())\nawait queue.get()";
    assert_eq!(cells.value(start).await, "0");
    assert_eq!(cells.value("[await queue.get(), await queue.get()]").await, "[1, 2]");
    assert_eq!(cells.value("await task\ntask.done()").await, "True");
    assert_eq!(cells.value("asyncio.run(asyncio.sleep(0, 'own'))").await, "'own'");
    assert_eq!(cells.value("await asyncio.sleep(0, 'still')").await, "'still'");
}

pub async fn each_call_has_its_own_input(cells: &mut Cells) {
    let first = cells.call_with("input()", |call| call.stdin(Stdin::from("one\nleft over\n"))).await;
    assert_eq!(first.result.as_deref(), Some("'one'"));
    let second = cells.call_with("input()", |call| call.stdin(Stdin::from("two\n"))).await;
    assert_eq!(second.result.as_deref(), Some("'two'"));
    assert_eq!(cells.call("input()").await.exception.expect("an exception").kind, "EOFError");
}

pub async fn a_call_out_of_time_keeps_the_session(cells: &mut Cells) {
    cells.value("n = 0").await;
    cells.limits.wall_clock_ms = 300;
    let outcome = cells.call("while True:\n    n += 1").await;
    assert_eq!(outcome.ending, Ending::Stopped { reason: StopReason::TimeLimit });
    assert_eq!(outcome.limits_hit, [LimitHit::WallClock]);
    assert_eq!(outcome.exception.expect("an exception").kind, "KeyboardInterrupt");
    cells.limits.wall_clock_ms = 5_000;
    assert_eq!(cells.value("n > 0").await, "True");
}

pub async fn a_sleep_out_of_time_keeps_the_session(cells: &mut Cells) {
    for code in [
        "import time\ntime.sleep(60)\nprint('over')",
        "import asyncio\nawait asyncio.sleep(60)\nprint('over')",
        "input()",
    ] {
        cells.limits.wall_clock_ms = 200;
        let (never, _writer) = tokio::io::simplex(16);
        let outcome = cells.call_with(code, |call| call.stdin(Stdin::Reader(Box::new(never)))).await;
        assert_eq!(outcome.ending, Ending::Stopped { reason: StopReason::TimeLimit }, "{code}");
        assert_eq!(outcome.stdout.text, "", "{code}");
        cells.limits.wall_clock_ms = 5_000;
        assert_eq!(cells.value("'alive'").await, "'alive'", "{code}");
    }
}

pub async fn a_call_that_goes_on_all_the_same_takes_the_session(cells: &mut Cells) {
    cells.limits.wall_clock_ms = 200;
    let began = Instant::now();
    let code = "while True:\n    try:\n        while True: pass\n    except BaseException: pass";
    let outcome = cells.call(code).await;
    assert_eq!(outcome.ending, Ending::Stopped { reason: StopReason::TimeLimit });
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert!(!cells.session.is_alive());
    let again = cells.session.call(Call::cell(2, "1", cells.limits), Box::new(|_: Event<'_>| ())).await;
    assert!(again.expect_err("it is lost").to_string().contains("lost"));
}

pub async fn a_call_can_be_interrupted(cells: &mut Cells) {
    for code in ["import time\ntime.sleep(30)", "while True: pass"] {
        let interrupt = Interrupt::default();
        let interrupting = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            interrupt.ask();
        };
        let call = cells.call_with(code, |call| call.interrupted_by(interrupt.clone()));
        let (outcome, ()) = tokio::join!(call, interrupting);
        assert_eq!(outcome.ending, Ending::Exited { exit_code: 130 }, "{code}: {outcome:#?}");
        assert_eq!(outcome.exception.expect("an exception").kind, "KeyboardInterrupt");
    }
    // One that comes before its call has begun is heard, and one for a call that is over is for none.
    let interrupt = Interrupt::default();
    interrupt.ask();
    let outcome = cells.call_with("while True: pass", |call| call.interrupted_by(interrupt.clone())).await;
    assert_eq!(outcome.ending, Ending::Exited { exit_code: 130 }, "{outcome:#?}");
    interrupt.ask();
    assert_eq!(cells.value("sum(range(1_000_000))").await, "499999500000");
}

pub async fn files_stay_between_calls(cells: &mut Cells) {
    cells.value("open('a.txt', 'w').write('text')\nhandle = open('/tmp/b.txt', 'w+')").await;
    assert_eq!(cells.value("open('a.txt').read()").await, "'text'");
    assert_eq!(cells.value("handle.write('more'); handle.seek(0)\nhandle.read()").await, "'more'");
    assert_eq!(cells.value("import os\nsorted(os.listdir())").await, "['a.txt', 'main.py']");
}

pub async fn variables_are_told(cells: &mut Cells) {
    cells.value("number = 5\ntext = 'abc'\nitems = [1, 2]\nimport math").await;
    let variables: Value = cells.session.ask(Question::variables()).await.expect("an answer").parse().expect("JSON");
    let named = |name: &str| {
        let all = variables.as_array().expect("a list");
        all.iter().find(|it| it["name"] == name).cloned().unwrap_or_default()
    };
    assert_eq!((&named("number")["type"], &named("number")["repr"]), (&json!("int"), &json!("5")));
    assert_eq!(named("text")["repr"], "'abc'");
    assert_eq!(named("items")["repr"], "<2 items>");
    assert!(named("items")["size"].as_u64().is_some_and(|size| size > 0));
    assert!(variables.as_array().is_some_and(|all| all.iter().all(|it| it["name"] != "_")), "{variables}");
    assert_eq!(cells.value("number").await, "5");
}

pub async fn code_is_completed(cells: &mut Cells) {
    cells.value("import math\nlonger_name = 1").await;
    let ask = |question| async { question };
    let question = ask(Question::complete("x = math.sq", 11)).await;
    let answer: Value = cells.session.ask(question).await.expect("an answer").parse().expect("JSON");
    assert_eq!(answer, json!({"start": 4, "matches": ["math.sqrt"]}));
    let answer: Value =
        cells.session.ask(Question::complete("longer_", 7)).await.expect("an answer").parse().expect("JSON");
    assert_eq!(answer["matches"], json!(["longer_name"]));
    for (code, status) in
        [("if x:", "incomplete"), ("x = 1", "complete"), ("x = )", "invalid"), ("await f()", "complete")]
    {
        let answer: Value =
            cells.session.ask(Question::is_complete(code)).await.expect("an answer").parse().expect("JSON");
        assert_eq!(answer["status"], status, "{code}");
    }
    // A place behind the end is the end.
    let answer = cells.session.ask(Question::complete("longer_", 1000)).await.expect("an answer");
    assert_eq!(answer.parse::<Value>().expect("JSON")["matches"], json!(["longer_name"]));
    let answer = cells.session.ask(Question::inspect("len", 1000)).await.expect("an answer");
    assert_eq!(answer.parse::<Value>().expect("JSON")["found"], true);
}

pub async fn tools_are_called(cells: &mut Cells) {
    let schema = json!({"type": "object", "properties": {"city": {}, "day": {}}});
    let declared = vec![Tool::new("weather").description("Looks outside.").parameters(schema), Tool::new("plain")];
    let code = "print(weather('Bern', day=2), plain(1, [2], k=None), weather.__doc__)\nweather(city='X')";
    let (outcome, batches) = cells
        .with_tools(code, declared, |name, args, kwargs| Ok(json!({"name": name, "args": args, "kwargs": kwargs})))
        .await;
    assert!(outcome.success(), "{outcome:#?}");
    assert_eq!(
        outcome.stdout.text,
        "{'args': [], 'kwargs': {'city': 'Bern', 'day': 2}, 'name': 'weather'} {'args': [1, [2]], 'kwargs': {'k': None}, \
         'name': 'plain'} Looks outside.\n"
    );
    assert_eq!(outcome.result.as_deref(), Some("{'args': [], 'kwargs': {'city': 'X'}, 'name': 'weather'}"));
    assert_eq!(batches, [1, 1, 1]);
}

pub async fn tools_that_are_awaited_come_together(cells: &mut Cells) {
    let code = "import asyncio\nresults = await asyncio.gather(*(double(n) for n in range(100)))\n\
                results == [2 * n for n in range(100)]";
    let declared = vec![Tool::new("double").awaited(true)];
    let (outcome, batches) =
        cells.with_tools(code, declared, |_, args, _| Ok(json!(args[0].as_i64().unwrap_or(0) * 2))).await;
    assert_eq!(outcome.result.as_deref(), Some("True"), "{outcome:#?}");
    assert_eq!(batches, [100]);
}

pub async fn numbers_of_tools_are_whole(cells: &mut Cells) {
    let (port, mut desk) = tools(vec![Tool::new("same")]).expect("tools");
    let answering = async {
        while let Some(calls) = desk.calls.recv().await {
            let args = calls[0].args.as_str();
            let value = JsonText::new(args[1..args.len() - 1].to_owned());
            desk.results.send(ToolResult::new(&*calls[0].id, Ok(value.expect("JSON")))).expect("somebody waits");
        }
    };
    let code = "all(same(v) == v for v in [2**80, -1.5e-300, 'é\\ud800', {'b': 1, 'a': [None, True]}]), \
                list(same({'b': 1, 'a': 2}))";
    let (outcome, ()) = tokio::join!(cells.call_with(code, |call| call.tools(port)), answering);
    assert_eq!(outcome.result.as_deref(), Some("(True, ['b', 'a'])"), "{outcome:#?}");
}

pub async fn tools_fail_where_they_are_called(cells: &mut Cells) {
    let code = "for n in range(2):\n    try:\n        fail(n)\n    except Exception as e:\n        \
                print(type(e).__name__, e)\ntry:\n    fail({1, 2})\nexcept TypeError as e:\n    print('TypeError')";
    let (outcome, _) = cells
        .with_tools(code, vec![Tool::new("fail")], |_, args, _| {
            let kind = (args[0] == 0).then(|| "LookupError".to_owned());
            Err(ToolError { kind, message: "not there".to_owned() })
        })
        .await;
    assert_eq!(outcome.stdout.text, "LookupError not there\nToolExecutionError not there\nTypeError\n", "{outcome:#?}");
}

pub async fn undeclared_tools_are_no_names(cells: &mut Cells) {
    let (outcome, batches) = cells.with_tools("first()", vec![Tool::new("first")], |_, _, _| Ok(Value::Null)).await;
    assert!(outcome.success() && batches == [1], "{outcome:#?}");
    // It is gone in a call without it.
    let (outcome, batches) = cells.with_tools("first()", vec![Tool::new("second")], |_, _, _| Ok(Value::Null)).await;
    assert_eq!((outcome.exception.map(|it| it.kind), batches), (Some("NameError".to_owned()), vec![]));
    let outcome = cells.call("second()").await;
    assert_eq!(outcome.exception.map(|it| it.kind), Some("NameError".to_owned()));
    for name in ["", "a b", "class", "1x", "a-b"] {
        assert!(tools(vec![Tool::new(name)]).is_err(), "{name}");
    }
}

pub async fn time_waits_for_tools(cells: &mut Cells) {
    // The first call of a session takes longer than others.
    cells.value("1").await;
    cells.limits.wall_clock_ms = 300;
    let (port, mut desk) = tools(vec![Tool::new("slow")]).expect("tools");
    let answering = async {
        let calls = desk.calls.recv().await.expect("a call");
        tokio::time::sleep(Duration::from_millis(600)).await;
        desk.results.send(ToolResult::new(calls[0].id.clone(), Ok(json!(1).into()))).expect("somebody waits");
        // What comes after it has the time that was left.
        tokio::time::sleep(Duration::from_millis(1)).await;
        desk.calls.recv().await
    };
    let calling = cells.call_with("slow()\nwhile True: pass", |call| call.tools(port));
    let (outcome, _) = tokio::join!(calling, answering);
    assert_eq!(outcome.ending, Ending::Stopped { reason: StopReason::TimeLimit }, "{outcome:#?}");
    assert!(outcome.exception.is_some_and(|it| it.line == Some(2)));
}

pub async fn output_and_usage_are_of_each_call(cells: &mut Cells) {
    let first = cells.call("print('one')\nsum(range(3_000_000))").await;
    let second = cells.call("print('two')").await;
    assert_eq!((&*first.stdout.text, &*second.stdout.text), ("one\n", "two\n"));
    assert!(second.usage.cpu_us < first.usage.cpu_us, "{:?} {:?}", first.usage, second.usage);
}

pub async fn output_comes_as_it_is_printed(cells: &mut Cells) {
    let (port, mut desk) = tools(vec![Tool::new("seen")]).expect("tools");
    let printed = Arc::new(Mutex::new(String::new()));
    let heard = Arc::clone(&printed);
    let observer = move |event: Event<'_>| {
        if let Event::Stdout(bytes) | Event::Stderr(bytes) = event {
            heard.lock().expect("not poisoned").push_str(&String::from_utf8_lossy(bytes));
        }
    };
    let answering = async {
        let calls = desk.calls.recv().await.expect("a call");
        // The call has not ended: it waits for this.
        let deadline = Instant::now() + Duration::from_secs(5);
        while !printed.lock().expect("not poisoned").contains("before") && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let before = printed.lock().expect("not poisoned").clone();
        desk.results.send(ToolResult::new(calls[0].id.clone(), Ok(json!(1).into()))).expect("somebody waits");
        before
    };
    cells.calls += 1;
    let call = Call::cell(cells.calls, "print('before')\nseen()\nprint('after')", cells.limits).tools(port);
    let (run, before) = tokio::join!(cells.session.call(call, Box::new(observer)), answering);
    assert!(matches!(run, Ok(Run::Ended(outcome)) if outcome.success()));
    assert_eq!((&*before, &**printed.lock().expect("not poisoned")), ("before\n", "before\nafter\n"));
}

/// Media types and texts of what a call has shown, and whether it is the value.
fn shown(outcome: &Outcome) -> Vec<(Vec<(&str, Value)>, bool)> {
    outcome
        .displays
        .iter()
        .map(|display| {
            let formats = display.data.iter().map(|(kind, data)| (&**kind, data.parse().expect("JSON")));
            (formats.collect(), display.is_result)
        })
        .collect()
}

const SHOWN: &str = r#"
class Rich:
    def __repr__(self): return "rich"
    def _repr_html_(self): return "<b>é</b>"
    def _repr_png_(self): return b"\x89PNG", {"width": 5}
    def _repr_json_(self): return {"a": [1, None]}
    def _repr_latex_(self): return None
    def _repr_svg_(self): raise NotImplementedError
class Bundle:
    def __repr__(self): return "bundle"
    def _repr_html_(self): return "not this one"
    def _repr_markdown_(self): return "*it*"
    def _repr_mimebundle_(self, include=None, exclude=None): return {"text/html": "<i>", "text/plain": "plain"}, {"x": 1}
class Broken:
    def __repr__(self): return "broken"
    def _repr_html_(self): raise ValueError("no table")
class Itself:
    def __repr__(self): return "itself"
    def _ipython_display_(self): print("shown")
class Everything:
    def __repr__(self): return "everything"
    def __getattr__(self, name): return lambda *a, **k: name
"#;

pub async fn objects_are_shown_in_all_their_formats(cells: &mut Cells) {
    assert!(cells.call(SHOWN).await.displays.is_empty());
    let rich = |is_result| {
        let formats = vec![
            ("application/json", json!({"a": [1, null]})),
            ("image/png", json!("iVBORw==")),
            ("text/html", json!("<b>é</b>")),
            ("text/plain", json!("rich")),
        ];
        (formats, is_result)
    };
    let bundle = |is_result| {
        let formats =
            vec![("text/html", json!("<i>")), ("text/markdown", json!("*it*")), ("text/plain", json!("plain"))];
        (formats, is_result)
    };
    let outcome = cells.call("display(Rich(), Bundle())\nRich()").await;
    assert_eq!(shown(&outcome), [rich(false), bundle(false), rich(true)], "{outcome:#?}");
    assert_eq!((&*outcome.stdout.text, outcome.result.as_deref()), ("", Some("rich")));
    let details: Vec<_> = outcome.displays.iter().map(|it| it.metadata.as_ref().map(JsonText::as_str)).collect();
    assert_eq!(
        details,
        [Some(r#"{"image/png": {"width": 5}}"#), Some(r#"{"x": 1}"#), Some(r#"{"image/png": {"width": 5}}"#)]
    );
    let outcome =
        cells.call("display(Rich(), include=['text/html'])\ndisplay({'text/plain': 'raw'}, raw=True)\nBundle()").await;
    let html = (vec![("text/html", json!("<b>é</b>"))], false);
    assert_eq!(shown(&outcome), [html, (vec![("text/plain", json!("raw"))], false), bundle(true)]);
    // One format that fails is left out, and the call goes on.
    let outcome = cells.call("display(Broken(), Itself(), Everything(), Rich)\nItself()").await;
    let text = |text: &str| (vec![("text/plain", json!(text))], false);
    assert_eq!(shown(&outcome), [text("broken"), text("everything"), text("<class '__main__.Rich'>")], "{outcome:#?}");
    assert!(outcome.success() && outcome.stderr.text.ends_with("ValueError: no table\n"), "{}", outcome.stderr.text);
    assert!(!outcome.stderr.text.contains("pyexec"), "{}", outcome.stderr.text);
    assert_eq!(outcome.stdout.text, "shown\nshown\n");
}

pub async fn values_without_formats_are_shown_as_text(cells: &mut Cells) {
    let outcome = cells.call("display(1)\n'a\\ud800'").await;
    let text = |text: &str, is_result| (vec![("text/plain", json!(text))], is_result);
    assert_eq!(shown(&outcome), [text("1", false), text("'a\\ud800'", true)], "{outcome:#?}");
    for code in ["x = 1", "None", "print(1)"] {
        assert!(cells.call(code).await.displays.is_empty(), "{code}");
    }
}

pub async fn what_is_shown_is_bounded(cells: &mut Cells) {
    let outcome = cells.call("for n in range(300): display(n)").await;
    assert_eq!(outcome.displays.len(), 256);
    assert_eq!(outcome.stderr.text, "pyexec: 44 more displays were left out: 256 of 16 MiB together come back\n");
    let code = "class Large:\n    def __repr__(self): return 'large'\n    def _repr_html_(self): return 'x' * (9 << 20)\nLarge()";
    let outcome = cells.call(code).await;
    assert_eq!(shown(&outcome), [(vec![("text/plain", json!("large"))], true)]);
    assert!(
        outcome.stderr.text.starts_with("pyexec: text/html of 9,437,186 bytes is left out"),
        "{}",
        outcome.stderr.text
    );
}
