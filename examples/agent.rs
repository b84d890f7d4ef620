//! A model that runs code until it has an answer. Run it with `cargo run --release --no-default-features --example agent`.

use pyexec::{ByteSize, Job, Limits, Outcome, Pyexec, Want};
use std::time::Duration;

/// Names what a model says next: code to run, or its answer.
enum Turn {
    Run(&'static str),
    Answer(String),
}

/// Stands for a model: its first code has a mistake, which it mends when it reads of it.
fn model(transcript: &[String]) -> Turn {
    match transcript.last() {
        None => Turn::Run("import statistics\nstatistics.mean(heights)"),
        Some(last) if last.contains("NameError") => {
            Turn::Run("import statistics\nheights = [1.71, 1.84, 1.66]\nround(statistics.mean(heights), 2)")
        }
        Some(last) => Turn::Answer(format!("The mean height is {last} m.")),
    }
}

/// Puts an outcome into words for the model: the value, or what went wrong.
fn told(outcome: Outcome) -> String {
    match outcome.check() {
        Ok(outcome) => outcome.result.unwrap_or(outcome.stdout.text),
        Err(failure) => format!("{failure}\n{}", failure.outcome().stderr.text),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> pyexec::Result<()> {
    let pyexec = Pyexec::new()?;
    let limits = Limits::default().with_wall_clock(Duration::from_secs(5)).with_memory(ByteSize::mib(256));
    let mut transcript = Vec::new();
    // A model may never come to an end.
    for _ in 0..8 {
        match model(&transcript) {
            Turn::Run(code) => {
                println!(">>> {}", code.replace('\n', "\n... "));
                let outcome = pyexec.run(Job::code(code).want(Want::LastExpression).limits(limits)).await?;
                transcript.push(told(outcome));
                println!("{}", transcript[transcript.len() - 1]);
            }
            Turn::Answer(answer) => {
                println!("{answer}");
                break;
            }
        }
    }
    Ok(())
}
