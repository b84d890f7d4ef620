//! Takes any bytes for what a container says.

use super::{
    collected::Files,
    container::Output,
    frames::{self, Decoder},
    placement::Placement,
    runner_session::{Ended, Line, RunnerSession},
    stdin_writer::Signals,
};
use crate::{Limits, Project, executor::Event, outcome::Ending};
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
    let files = Files::new(&project, limits.disk_files);
    let mut session = RunnerSession::new(&limits, Some(files), None, Box::new(|_: Event<'_>| ()));
    let pieces: Vec<_> = bytes.chunks(usize::from(piece).max(1)).map(Bytes::copy_from_slice).collect();
    let output: Output = Box::pin(stream::iter(pieces.into_iter().map(|message| Ok(LogOutput::StdOut { message }))));
    let mut line = Line::new(output);
    let signals = Signals::new();
    loop {
        match session.listen(&mut line, &signals).now_or_never() {
            Some(Ended::Located | Ended::Missed(_) | Ended::Tools(_) | Ended::GoesOn) => {}
            Some(Ended::Answered(_) | Ended::Called(_) | Ended::Files(_)) => {}
            Some(Ended::Reported(_) | Ended::Refused(_) | Ended::Gone | Ended::Malformed) => break,
            None => panic!("a stream that has everything is waited for"),
        }
    }
    let placement = Placement::default();
    let outcome = session.outcome(Ending::Exited { exit_code: 0 }, Duration::ZERO, &limits, &placement);
    let kept = outcome.stdout.text.len() + outcome.stderr.text.len();
    assert!(kept as u64 <= 2 * OUTPUT_BYTES_MAX + 4096, "{kept} bytes of output are kept");
    for file in &outcome.files {
        let below = file.path.strip_prefix("/tmp/").unwrap_or(&file.path);
        let inside = Path::new(below).components().all(|part| matches!(part, Component::Normal(_)));
        assert!(inside && !below.is_empty(), "a file comes back as {:?}", file.path);
    }
}
