//! Containers of our own that do one thing and say what came of it.

use super::{
    container::{Container, not_started},
    daemon::Fault,
};
use crate::{Error, Result};
use bollard::container::LogOutput;
use futures_util::StreamExt;
use std::time::Duration;

/// Of each stream.
const OUTPUT_BYTES_MAX: usize = 64 << 10;
/// How long the daemon may take to notice the end of a container whose output has ended.
const END: Duration = Duration::from_secs(5);
const END_PAUSE: Duration = Duration::from_millis(10);

/// Names the status that a shell gives a program that cannot run, and one that is not there.
pub(crate) const NOT_EXECUTABLE: i64 = 126;
pub(crate) const NOT_FOUND: i64 = 127;

/// Holds what came of a helper.
#[derive(Debug, Default)]
pub(crate) struct HelperOutput {
    pub(crate) status: i64,
    pub(crate) stdout: String,
    stderr: String,
}

impl HelperOutput {
    pub(crate) fn last_complaint(&self) -> &str {
        self.stderr.trim_end().lines().next_back().unwrap_or("it says nothing")
    }
}

/// Starts `container`, waits for its end, and removes it.
pub(crate) async fn run(container: Container, longest: Duration) -> Result<HelperOutput> {
    let running = async {
        let (input, mut output) = match container.attach_and_start().await {
            Ok(streams) => streams,
            Err(fault) => return not_there(&container, fault).await,
        };
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        while let Some(piece) = output.next().await {
            let (stream, message) = match piece {
                Ok(LogOutput::StdErr { message }) => (&mut stderr, message),
                Ok(LogOutput::StdOut { message } | LogOutput::StdIn { message } | LogOutput::Console { message }) => {
                    (&mut stdout, message)
                }
                Err(error) => return Err(Error::caused("the connection to a helper in Docker was lost", error)),
            };
            let room = OUTPUT_BYTES_MAX.saturating_sub(stream.len());
            stream.extend(message.iter().take(room));
        }
        drop(input);
        let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(HelperOutput { status: status(&container).await?, stdout, stderr })
    };
    let ran = tokio::time::timeout(longest, running).await;
    ran.unwrap_or_else(|_| {
        Err(Error::unavailable(format!("a helper in Docker takes longer than {} s", longest.as_secs())))
    })
}

/// Says of a container that does not start what a shell would say, if its program is not there or cannot run.
async fn not_there(container: &Container, fault: Fault) -> Result<HelperOutput> {
    if let Fault::Refused { message, .. } = &fault {
        let state = container.state().await.unwrap_or_default();
        if let Some(status @ (NOT_EXECUTABLE | NOT_FOUND)) = state.exit_code {
            return Ok(HelperOutput { status, stdout: String::new(), stderr: message.clone() });
        }
    }
    Err(not_started(fault))
}

async fn status(container: &Container) -> Result<i64> {
    let until = tokio::time::Instant::now() + END;
    loop {
        let state = container.state().await;
        let state =
            state.map_err(|fault| Error::caused("Docker does not say how a helper ended", fault.to_string()))?;
        if state.running == Some(false) {
            return Ok(state.exit_code.unwrap_or(-1));
        }
        if tokio::time::Instant::now() >= until {
            return Err(Error::unavailable("a helper in Docker does not end"));
        }
        tokio::time::sleep(END_PAUSE).await;
    }
}
