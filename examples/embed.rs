//! The sandbox in a program of your own. Run it with `cargo run --release --example embed`.

use pyexec::{Event, Job, Limits, Pyexec};

#[tokio::main(flavor = "current_thread")]
async fn main() -> pyexec::Result<()> {
    let pyexec = Pyexec::new()?;
    let outcome = pyexec.run(Job::code("print(sum(n * n for n in range(10)))")).await?;
    assert_eq!(outcome.stdout.text, "285\n");

    // Output as it comes, and a limit that is hit.
    let job = Job::code("import time\nprint('so far')\ntime.sleep(60)")
        .limits(Limits { wall_clock_ms: 300, ..Limits::default() });
    let live = |event: Event<'_>| {
        if let Event::Stdout(bytes) = event {
            print!("live: {}", String::from_utf8_lossy(bytes));
        }
    };
    let outcome = pyexec.run_observed(job, live).await?;
    println!("{:?}\n{}", outcome.ending, outcome.stderr.text);
    Ok(())
}
