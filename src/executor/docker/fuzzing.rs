//! Takes any bytes for what a container says.

use super::{
    container::Output,
    frames::{self, Decoder},
    placement::Placement,
    runner_session::{Ended, RunnerSession},
    stdin_writer::Signals,
};
use crate::{
    Limits, Project,
    executor::{Event, SessionSpec},
    outcome::Ending,
};
use bollard::container::LogOutput;
use bytes::Bytes;
use futures_util::{FutureExt, stream};
use std::{
    path::{Component, Path},
    time::Duration,
};

const OUTPUT_BYTES_MAX: u64 = 1000;

/// Takes frames in pieces, as they come from a container.
///
/// # Panics
///
/// If other pieces of the same bytes are other frames, or what is kept of them is not bounded.
pub fn frames(bytes: &[u8]) {
    let Some((&piece, bytes)) = bytes.split_first() else { return };
    let read = |piece: usize| {
        let (mut decoder, mut found) = (Decoder::default(), Vec::new());
        for piece in bytes.chunks(piece.max(1)) {
            decoder.push(piece);
            loop {
                match decoder.next() {
                    Ok(Some(frame)) => found.push(frame),
                    Ok(None) => break,
                    Err(frames::Malformed) => return (found, true),
                }
            }
        }
        (found, false)
    };
    let (found, malformed) = read(bytes.len());
    assert_eq!(read(piece.into()), (found.clone(), malformed));
    let mut written = Vec::new();
    for (kind, content) in &found {
        frames::put(&mut written, *kind, content);
    }
    assert!(bytes.starts_with(&written), "frames are not what was sent");
    let limits = Limits { output_bytes: OUTPUT_BYTES_MAX, ..Limits::default() };
    let project = Project::script("print()");
    let spec = SessionSpec { project, env: Vec::new(), limits, collect_files: true, lives_on: false, home: None };
    let mut session = RunnerSession::new(&spec, None, Box::new(|_: Event<'_>| ()));
    let pieces: Vec<_> = bytes.chunks(usize::from(piece).max(1)).map(Bytes::copy_from_slice).collect();
    let mut output: Output =
        Box::pin(stream::iter(pieces.into_iter().map(|message| Ok(LogOutput::StdOut { message }))));
    let signals = Signals::new();
    loop {
        match session.listen(&mut output, &signals).now_or_never() {
            Some(Ended::Located | Ended::Missed(_)) => {}
            Some(Ended::Reported(_) | Ended::Refused(_) | Ended::Gone | Ended::Malformed) => break,
            None => panic!("a stream that has everything is waited for"),
        }
    }
    let placement = Placement::default();
    let outcome = session.outcome(Ending::Exited { exit_code: 0 }, Duration::ZERO, &spec.limits, &placement);
    let kept = outcome.stdout.text.len() + outcome.stderr.text.len();
    assert!(kept as u64 <= 2 * OUTPUT_BYTES_MAX + 4096, "{kept} bytes of output are kept");
    for file in &outcome.files {
        let below = file.path.strip_prefix("/tmp/").unwrap_or(&file.path);
        let inside = Path::new(below).components().all(|part| matches!(part, Component::Normal(_)));
        assert!(inside && !below.is_empty(), "a file comes back as {:?}", file.path);
    }
}
