//! Server-sent events, as they come in pieces.

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The last `id` so far, of this event or one before it.
    pub(crate) id: Option<String>,
    /// `message` when it has no name.
    pub(crate) event: String,
    pub(crate) data: String,
}

/// Takes bytes and gives events, wherever the bytes are cut.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    line: Vec<u8>,
    past_first_line: bool,
    after_carriage_return: bool,
    id: Option<String>,
    event: String,
    data: String,
}

/// An event is larger than anything that a server of ours sends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// Twice the largest output and files of several times that.
const EVENT_BYTES_MAX: usize = 256 << 20;

impl Parser {
    /// Adds the events that are complete with these bytes.
    pub(crate) fn push(&mut self, mut bytes: &[u8], frames: &mut Vec<Frame>) -> Result<(), TooLarge> {
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_carriage_return)
                && let [b'\n', rest @ ..] = bytes
            {
                bytes = rest;
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (part, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            if self.line.len() + self.data.len() + part.len() > EVENT_BYTES_MAX {
                return Err(TooLarge);
            }
            self.line.extend_from_slice(part);
            let Some((newline, rest)) = rest.split_first() else { break };
            self.after_carriage_return = *newline == b'\r';
            bytes = rest;
            let line = std::mem::take(&mut self.line);
            frames.extend(self.line(&String::from_utf8_lossy(&line)));
        }
        Ok(())
    }

    fn line(&mut self, line: &str) -> Option<Frame> {
        let line = if std::mem::replace(&mut self.past_first_line, true) {
            line
        } else {
            line.strip_prefix('\u{feff}').unwrap_or(line)
        };
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "event" => value.clone_into(&mut self.event),
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            _ => {} // a comment, or a field that is not for us
        }
        None
    }

    fn dispatch(&mut self) -> Option<Frame> {
        let event = std::mem::take(&mut self.event);
        let mut data = std::mem::take(&mut self.data);
        data.pop()?;
        let event = if event.is_empty() { "message".to_owned() } else { event };
        Some(Frame { id: self.id.clone(), event, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(id: Option<&str>, event: &str, data: &str) -> Frame {
        Frame { id: id.map(str::to_owned), event: event.to_owned(), data: data.to_owned() }
    }

    fn parse(pieces: &[&[u8]]) -> Vec<Frame> {
        let mut parser = Parser::default();
        let mut frames = Vec::new();
        for piece in pieces {
            parser.push(piece, &mut frames).expect("not too large");
        }
        frames
    }

    const STREAM: &str = "\u{feff}: hello\n\nid: 1\nevent: stdout\ndata: {\"text\": \"å\"}\n\nid:2\r\ndata: a\r\ndata\r\ndata:  \
                          b\r\n\r\nevent: empty\n\nretry: 5\rdata: last\r\rid: 9\ndata: never finished\n";

    #[test]
    fn events_are_the_same_wherever_the_bytes_are_cut() {
        let expected = vec![
            frame(Some("1"), "stdout", "{\"text\": \"å\"}"),
            frame(Some("2"), "message", "a\n\n b"),
            frame(Some("2"), "message", "last"),
        ];
        assert_eq!(parse(&[STREAM.as_bytes()]), expected);
        for cut in 0..STREAM.len() {
            let (one, two) = STREAM.as_bytes().split_at(cut);
            assert_eq!(parse(&[one, two]), expected, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = STREAM.as_bytes().chunks(1).collect();
        assert_eq!(parse(&bytes), expected);
    }

    #[test]
    fn keep_alive_comments_are_no_events() {
        assert_eq!(parse(&[b": keep-alive\n\n: keep-alive\n\n"]), []);
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut parser = Parser::default();
        let mut frames = Vec::new();
        let piece = vec![b'x'; 1 << 20];
        let refused = (0..300).find_map(|_| parser.push(&piece, &mut frames).err());
        assert_eq!(refused, Some(TooLarge));
    }
}
