//! Links CPython with the embedding in `guest/` into a reactor: a module without `main`, called through its exports.

use crate::{
    Result,
    clibs::{self, strings},
    cpython::{Wasm, compiler},
    progress::Progress,
    shell,
    sources::Sources,
    store::Store,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Shadow stack, where C locals whose address is taken live. CPython's recursion checks measure it; see
/// `patches/recursion.patch`.
const STACK_BYTES: u32 = 24 << 20;

pub fn link(store: &Store, sources: &Sources, wasm: &Wasm, progress: &Progress) -> Result<PathBuf> {
    let recipe = fs::read_to_string("build/guest.rs").map_err(|e| format!("cannot read build/guest.rs: {e}"))?;
    let key = wasm.key.clone().with_folder("guest")?.with_folder("libc")?.with(recipe);
    let folder = store.step("module", &key, |folder| {
        progress.step("linking python.wasm", "10 s", || {
            let compiler = compiler(&sources.zig, 2);
            let mut flags = strings(&["-O3", "-DNDEBUG", "-DPy_BUILD_CORE", "-Iguest"]);
            for include in ["", "Include", "Include/internal", "Modules/_hacl", "Modules/_hacl/include"] {
                flags.push(format!("-I{}", sources.guest.join(include).display()));
            }
            flags.push(format!("-I{}", wasm.build.display()));
            let objects = clibs::objects(&compiler, &clibs::c_files(Path::new("guest"), "c")?, &flags, folder)?;
            let mut link = Command::new(&compiler.cc[0]);
            link.args(&compiler.cc[1..])
                .current_dir(&wasm.build)
                .args([
                    "-O3",
                    "-mexec-model=reactor",
                    "-Wl,--strip-debug",
                    "-z",
                    &format!("stack-size={STACK_BYTES}"),
                    "-o",
                ])
                .arg(folder.join("python.wasm"))
                // First, so that nothing of zig's libc is taken before.
                .args(libc(sources, folder)?)
                .args(&objects)
                .arg("libpython3.14.a")
                .arg(format!("-L{}", wasm.sysroot.join("lib").display()))
                .args(libraries(&wasm.build)?);
            shell::run(&mut link, &folder.join("link.log"))
        })
    })?;
    Ok(folder.join("python.wasm"))
}

/// Objects that stand in for parts of zig's libc, when they are named before it.
fn libc(sources: &Sources, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut flags =
        strings(&["-O3", "-fno-builtin", "-w", "-Xclang", "-target-feature", "-Xclang", "+bulk-memory-opt"]);
    flags.push(format!("-I{}", sources.c_sources("libffi-sys")?.join("libffi/src").display()));
    let compiler = compiler(&sources.zig, 2);
    clibs::objects(&compiler, &clibs::c_files(Path::new("libc"), "c")?, &flags, &folder.join("libc"))
}

/// What the extension modules and CPython itself link with, as configure found it.
fn libraries(build: &Path) -> Result<Vec<String>> {
    let show = "show:;@echo $(MODLIBS) $(LIBS) $(SYSLIBS)";
    let folder = build.to_string_lossy();
    let text = shell::output("make", &["-s", "-C", &folder, "--no-print-directory", "--eval", show, "show"])
        .ok_or("cannot read the list of libraries from CPython's Makefile")?;
    // The step's folder had another name while configure ran.
    Ok(text.split_whitespace().filter(|word| !word.starts_with("-L")).map(str::to_owned).collect())
}
