//! A session between calls, as bytes: the pages of its memory that differ from its image, what is in globals, and its files.
//!
//! The bytes are no more trusted than a guest is: whatever they say is memory of a guest, or is checked.

use super::{
    clock::Clock,
    files::{Files, FrozenFiles},
    host::Host,
    image::Image,
    instance::Instance,
    library::Library,
};
use crate::{Error, Limits, Result, executor::SessionSpec};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::{
    io::{self, BufReader, Read},
    time::Duration,
};
use wasmtime::{Mutability, Val};
use zstd::stream::Decoder;

/// What frozen sessions of this version begin with.
const MAGIC: &[u8; 8] = b"pyexecS1";
const PAGE_BYTES: usize = 4096;
const WASM_PAGE_BYTES: usize = 64 << 10;
/// Quick, and a third of the size.
const COMPRESSION: i32 = -1;
/// Globals that an image may have: ours has a handful.
const GLOBALS_MAX: usize = 1000;

/// What is before the pages.
#[derive(Serialize, Deserialize)]
struct Head {
    /// Which image the pages differ from.
    image: String,
    memory_pages: u64,
    globals: Vec<(String, Value)>,
    files: FrozenFiles,
    elapsed: Duration,
    cpu: Duration,
    has_read: bool,
    /// Numbers of the pages that follow.
    pages: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
enum Value {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
}

/// Describes an instance between two calls, which was started; blocks.
///
/// # Errors
///
/// When it has what cannot be kept.
pub(super) fn freeze(instance: &mut Instance, image: &Image, has_read: bool) -> Result<Vec<u8>> {
    let failed = |error| Error::caused("the session cannot be frozen", error);
    let files = instance.host().files.freeze()?;
    let (elapsed, cpu) = instance.host().clock.times();
    let globals = instance.globals().map_err(failed)?;
    let globals = globals.into_iter().filter_map(|(name, value)| Some((name, Value::of(&value)?))).collect();
    let memory = instance.memory().map_err(failed)?;
    let (pages, content) = changed(image, memory);
    let memory_pages = (memory.len() / WASM_PAGE_BYTES) as u64;
    let head = Head { image: image.id.to_string(), memory_pages, globals, files, elapsed, cpu, has_read, pages };
    let head = postcard::to_stdvec(&head).map_err(|e| Error::caused("the session cannot be frozen", e))?;

    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&(head.len() as u64).to_le_bytes());
    let mut encoder =
        zstd::stream::Encoder::new(bytes, COMPRESSION).map_err(|e| Error::caused("cannot compress", e))?;
    // Bytes that rotted on a disk are told from what was written.
    let done = (|| {
        encoder.include_checksum(true)?;
        std::io::Write::write_all(&mut encoder, &head)?;
        for page in content {
            std::io::Write::write_all(&mut encoder, page)?;
        }
        encoder.finish()
    })();
    done.map_err(|e| Error::caused("cannot compress the session", e))
}

/// Returns the pages that differ from the image, by number and content.
fn changed<'a>(image: &Image, memory: &'a [u8]) -> (Vec<u32>, Vec<&'a [u8]>) {
    let (mut numbers, mut content) = (Vec::new(), Vec::new());
    for range in image.changed(memory) {
        let first = range.start / PAGE_BYTES;
        for (at, page) in memory[range].chunks_exact(PAGE_BYTES).enumerate() {
            numbers.push(u32::try_from(first + at).unwrap_or(u32::MAX));
            content.push(page);
        }
    }
    (numbers, content)
}

/// A session whose head is read; its pages follow.
pub(super) struct Thawing {
    head: Head,
    pages: Decoder<'static, BufReader<io::Cursor<Bytes>>>,
}

fn damaged() -> Error {
    Error::invalid("these bytes are no frozen session of this version")
}

impl Thawing {
    /// Reads the beginning of what was frozen.
    ///
    /// # Errors
    ///
    /// When it is something else, was changed, or has more than `limits` allow.
    pub(super) fn read(bytes: &Bytes, limits: &Limits) -> Result<Thawing> {
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(damaged)?;
        let (length, packed) = rest.split_first_chunk().ok_or_else(damaged)?;
        let length = u64::from_le_bytes(*length);
        // It has a number for each page, and what there is of files.
        if length > (limits.memory_bytes / PAGE_BYTES as u64).saturating_mul(8).saturating_add(64 << 20) {
            return Err(damaged());
        }
        let mut pages = Decoder::new(io::Cursor::new(bytes.slice_ref(packed))).map_err(|_| damaged())?;
        let mut head = Vec::new();
        pages.by_ref().take(length).read_to_end(&mut head).map_err(|_| damaged())?;
        if head.len() as u64 != length {
            return Err(damaged());
        }
        let head: Head = postcard::from_bytes(&head).map_err(|_| damaged())?;
        let bytes = head.memory_pages.checked_mul(WASM_PAGE_BYTES as u64).filter(|all| *all <= limits.memory_bytes);
        let pages_max = bytes.ok_or_else(damaged)? / PAGE_BYTES as u64;
        if head.globals.len() > GLOBALS_MAX || head.pages.len() as u64 > pages_max {
            return Err(damaged());
        }
        Ok(Thawing { head, pages })
    }

    /// Names the image that it takes.
    pub(super) fn image(&self) -> &str {
        &self.head.image
    }

    /// Makes the instance, and says whether it has read from the input of its last call.
    ///
    /// # Errors
    ///
    /// When there is no room for it, or its folder cannot be opened.
    pub(super) async fn instance(
        self,
        image: &Image,
        spec: &SessionSpec,
        library: &Library,
    ) -> Result<(Instance, bool)> {
        let Thawing { head, mut pages } = self;
        let failed = |error| Error::caused("the session cannot be thawed", error);
        let files = Files::thaw(head.files, spec.project.clone(), library, &spec.limits, spec.home.clone())?;
        let clock = Clock::going_on((head.elapsed, head.cpu));
        let mut instance = Instance::new(image.clone(), Host::with_files(files, &spec.limits, library.clone(), clock));
        instance.start().await.map_err(failed)?;
        instance.grow_to(head.memory_pages).await.map_err(failed)?;
        for (name, value) in head.globals {
            instance.set_global(&name, value.into()).map_err(failed)?;
        }
        let mut page = [0; PAGE_BYTES];
        for number in head.pages {
            pages.read_exact(&mut page).map_err(|_| damaged())?;
            instance.write(number as usize * PAGE_BYTES, &page).map_err(|_| damaged())?;
        }
        // The end has the checksum.
        if pages.read(&mut page).map_or(true, |rest| rest > 0) {
            return Err(damaged());
        }
        instance.host_mut().clock.pause();
        Ok((instance, head.has_read))
    }
}

impl Value {
    fn of(value: &Val) -> Option<Value> {
        Some(match value {
            Val::I32(value) => Value::I32(*value),
            Val::I64(value) => Value::I64(*value),
            Val::F32(value) => Value::F32(*value),
            Val::F64(value) => Value::F64(*value),
            _ => return None,
        })
    }
}

impl From<Value> for Val {
    fn from(value: Value) -> Val {
        match value {
            Value::I32(value) => Val::I32(value),
            Value::I64(value) => Val::I64(value),
            Value::F32(value) => Val::F32(value),
            Value::F64(value) => Val::F64(value),
        }
    }
}

impl Instance {
    /// Returns the globals that can change, by name: an image exports all of them.
    fn globals(&mut self) -> wasmtime::Result<Vec<(String, Val)>> {
        let names: Vec<String> = self.mutable_globals();
        names.into_iter().map(|name| self.global(&name).map(|value| (name, value))).collect()
    }

    fn mutable_globals(&self) -> Vec<String> {
        let exports = self.module().exports();
        let is_mutable = |it: &wasmtime::ExternType| it.global().is_some_and(|it| it.mutability() == Mutability::Var);
        exports.filter(|export| is_mutable(&export.ty())).map(|export| export.name().to_owned()).collect()
    }
}
