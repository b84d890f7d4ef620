//! A job that is ended from outside. Run it with `cargo run --release --no-default-features --example cancel`.

use pyexec::{Job, Pyexec};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> pyexec::Result<()> {
    let pyexec = Pyexec::builder().slots(1).build()?;
    let endless = pyexec.run(Job::code("while True: pass"));

    // Whatever the program would rather do: a signal, a client that goes away, a deadline of its own.
    tokio::select! {
        outcome = endless => println!("it ended: {:?}", outcome?.ending),
        () = tokio::time::sleep(Duration::from_millis(200)) => println!("cancelled: its future is dropped"),
    }

    // Nothing of it is left: the only slot is free.
    let outcome = pyexec.run(Job::code("print('next')")).await?;
    print!("{}", outcome.stdout.text);
    Ok(())
}
