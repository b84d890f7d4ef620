//! What a snapshot starts with in its memory, apart from its code: it is mapped for each job, not copied.

use std::{fs::File, io, os::unix::fs::FileExt};
use wasm_encoder::{Module, RawSection};
use wasmparser::{DataKind, Operator, Parser, Payload};
use wasmtime::{Result, bail};

/// Content begins at a multiple of this in its file: as large as the largest page of the machines that we know.
const ALIGNMENT: usize = 64 << 10;

/// Ends the file of an image, after the place and the length of its content.
const MARK: [u8; 8] = *b"pyexmem1";

const TRAILER_BYTES: usize = 24;

/// Memory that a snapshot may have, as a bound on what is read from a file.
const CONTENT_BYTES_MAX: u64 = 4 << 30;

/// Says where content is in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) start: u64,
    pub(crate) length: usize,
}

/// Takes the data out of a module, and returns what it would make of its memory, in whole pages of WebAssembly.
pub(crate) fn separate(wasm: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut module = Module::new();
    let mut content = Vec::new();
    let mut memory_bytes = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        match &payload {
            Payload::MemorySection(memories) => {
                for memory in memories.clone() {
                    let initial = usize::try_from(memory?.initial)?;
                    if memory_bytes > 0 || initial > CONTENT_BYTES_MAX as usize / ALIGNMENT {
                        bail!("the module has more than one memory, or a very large one");
                    }
                    memory_bytes = initial * ALIGNMENT;
                }
            }
            Payload::DataCountSection { .. } => continue,
            Payload::DataSection(segments) => {
                for segment in segments.clone() {
                    let segment = segment?;
                    // Code that loads passive data would not be valid without it.
                    let DataKind::Active { offset_expr, .. } = segment.kind else { continue };
                    let mut operators = offset_expr.get_operators_reader();
                    let Operator::I32Const { value } = operators.read()? else {
                        bail!("the module has data at a place that is not constant");
                    };
                    let start = value.cast_unsigned() as usize;
                    let end = start + segment.data.len();
                    if end > memory_bytes {
                        bail!("the module has data beyond its memory");
                    }
                    if content.len() < end {
                        content.resize(end, 0);
                    }
                    content[start..end].copy_from_slice(segment.data);
                }
                continue;
            }
            _ => {}
        }
        if let Some((id, range)) = payload.as_section() {
            module.section(&RawSection { id, data: &wasm[range] });
        }
    }
    content.resize(content.len().next_multiple_of(ALIGNMENT), 0);
    Ok((module.finish(), content))
}

/// Puts content behind compiled code, into one file.
pub(crate) fn join(mut code: Vec<u8>, content: &[u8]) -> Vec<u8> {
    code.resize(code.len().next_multiple_of(ALIGNMENT), 0);
    let start = code.len() as u64;
    code.extend_from_slice(content);
    code.extend_from_slice(&start.to_le_bytes());
    code.extend_from_slice(&(content.len() as u64).to_le_bytes());
    code.extend_from_slice(&MARK);
    code
}

/// Finds the content in a file; `None` when it has none.
pub(crate) fn content_of(file: &File) -> io::Result<Option<Place>> {
    let Some(end) = file.metadata()?.len().checked_sub(TRAILER_BYTES as u64) else { return Ok(None) };
    let mut trailer = [0; TRAILER_BYTES];
    file.read_exact_at(&mut trailer, end)?;
    let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| trailer[at + byte]));
    let (start, length) = (number(0), number(8));
    let is_whole = trailer[16..] == MARK
        && start.is_multiple_of(ALIGNMENT as u64)
        && length <= CONTENT_BYTES_MAX
        && start.checked_add(length) == Some(end);
    Ok(usize::try_from(length).ok().filter(|_| is_whole).map(|length| Place { start, length }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// (module (memory 1) (data (i32.const 8) "ab") (data (i32.const 9) "c"))
    const DATA: &[u8] = b"\0asm\x01\0\0\0\x05\x03\x01\0\x01\x0b\x0e\x02\0\x41\x08\x0b\x02ab\0\x41\x09\x0b\x01c";

    #[test]
    fn data_becomes_content_and_leaves_the_module() {
        let (code, content) = separate(DATA).unwrap();
        assert_eq!(code, b"\0asm\x01\0\0\0\x05\x03\x01\0\x01");
        assert_eq!((content.len(), &content[7..11]), (ALIGNMENT, &b"\0ac\0"[..]));
        assert!(content[11..].iter().all(|&byte| byte == 0));
    }

    #[test]
    fn data_beyond_the_memory_is_refused() {
        let mut beyond = DATA.to_vec();
        let memory = beyond.iter().position(|&byte| byte == 5).unwrap();
        beyond[memory + 4] = 0;
        assert!(separate(&beyond).is_err());
    }

    #[test]
    fn content_is_found_behind_the_code_or_not_at_all() {
        let place = |bytes: &[u8]| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            content_of(&file).unwrap()
        };
        let joined = join(b"code".to_vec(), &[7; 128]);
        assert_eq!(place(&joined), Some(Place { start: ALIGNMENT as u64, length: 128 }));
        for damaged in [&joined[..joined.len() - 1], &joined[1..], b"", b"code"] {
            assert_eq!(place(damaged), None);
        }
    }
}
