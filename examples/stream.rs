//! Output as it comes. Run it with `cargo run --release --no-default-features --example stream`.

use pyexec::{Job, Pyexec, RunEvent};

#[tokio::main(flavor = "current_thread")]
async fn main() -> pyexec::Result<()> {
    let pyexec = Pyexec::new()?;
    let code = "import time\nfor n in range(3):\n    print(n, flush=True)\n    time.sleep(0.5)";
    let mut events = pyexec.run_stream(Job::code(code));
    while let Some(event) = events.next().await {
        match event? {
            RunEvent::Stdout(bytes) => print!("{}", String::from_utf8_lossy(&bytes)),
            RunEvent::Stderr(bytes) => eprint!("{}", String::from_utf8_lossy(&bytes)),
            RunEvent::Ended(outcome) => println!("{:?} after {} ms", outcome.ending, outcome.usage.wall_us / 1000),
            _ => {}
        }
    }
    Ok(())
}
