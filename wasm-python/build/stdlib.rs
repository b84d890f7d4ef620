//! Packs the standard library: every module's source and compiled code, data files, time zones.

use crate::{
    Result,
    cpython::{Native, Wasm},
    progress::Progress,
    shell,
    sources::Sources,
    store::Store,
};
use std::{fs, path::PathBuf, process::Command};

const PROGRAMS: &str = "build/programs.txt";

pub fn pack(store: &Store, sources: &Sources, native: &Native, wasm: &Wasm, progress: &Progress) -> Result<PathBuf> {
    let script = "build/pack_stdlib.py";
    let text = fs::read_to_string(script).map_err(|e| format!("cannot read {script}: {e}"))?;
    let programs = fs::read_to_string(PROGRAMS).map_err(|e| format!("cannot read {PROGRAMS}: {e}"))?;
    let key = wasm.key.clone().with("stdlib").with(text).with(programs).with_folder("boot")?;
    let folder = store.step("stdlib", &key, |folder| {
        progress.step("packing the standard library", "15 s", || {
            let mut python = Command::new(native.python());
            python
                .args(["-I", script])
                .arg(sources.guest.join("Lib"))
                .arg(&sources.tzdata)
                .arg(&wasm.build)
                .arg("boot")
                .arg(folder.join("stdlib.bin"));
            shell::run(&mut python, &folder.join("pack.log"))
        })
    })?;
    Ok(folder.join("stdlib.bin"))
}
