//! Brings what is compiled: CPython (pinned by SHA-256, and changed for WASI), the compiler, the time zones, and C libraries.

use crate::{
    Result, data_model,
    prerequisites::Tools,
    progress::Progress,
    shell,
    store::{Key, Store, hex},
};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, HashMap},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

const VERSION: &str = "3.14.5";
const SHA256: &str = "7e32597b99e5d9a39abed35de4693fa169df3e5850d4c334337ffd6a19a36db6";
/// Path of a CPython source archive already on the machine; its hash is checked all the same.
pub const TARBALL_VARIABLE: &str = "PYEXEC_CPYTHON_TARBALL";

pub struct Sources {
    /// CPython's source tree, as published.
    pub cpython: PathBuf,
    /// The same for WASI: patched, and in the data model of 64-bit Linux.
    pub guest: PathBuf,
    /// Folder of the `zig` program; its libc is edited to speak Linux's errno.
    pub zig: PathBuf,
    /// The `tzdata` package.
    pub tzdata: PathBuf,
    /// Folders of the crates that carry C sources, by name.
    crates: HashMap<String, PathBuf>,
    /// CPython and the C libraries, for the keys of later steps.
    pub key: Key,
    /// What becomes of CPython for WASI, for the same.
    pub guest_key: Key,
    /// The compiler and its libc, for the same.
    pub toolchain: String,
}

impl Sources {
    pub fn fetch(store: &Store, tools: &Tools, progress: &Progress) -> Result<Sources> {
        let cpython_key = Key::new("cpython").with(SHA256);
        let cpython = store.step("cpython-source", &cpython_key, |folder| {
            progress.step(&format!("fetching CPython {VERSION}"), "23 MB", || cpython(folder, tools))
        })?;
        let guest_key = cpython_key.clone().with_folder("patches")?.with(read("build/data_model.rs")?);
        let guest = store.step("guest-source", &guest_key, |folder| {
            progress.step("changing CPython for WASI", "5 s", || guest(&cpython, folder))
        })?;
        let toolchain = read("toolchain.txt")?;
        let zig_key = Key::new("toolchain").with(&toolchain).with_folder("wasi-libc")?.with(read("build/sources.rs")?);
        let toolchain = store.step("toolchain", &zig_key, |folder| {
            progress.step("fetching the compiler (zig) with pip", "100 MB", || pip(folder, tools))?;
            let libc = folder.join("ziglang/lib/libc");
            linux_errno(&libc)?;
            overlay(Path::new("wasi-libc/overlay"), &libc)
        })?;
        let crates = crates()?;
        let mut key = cpython_key;
        let mut names: Vec<_> = crates.values().map(|path| path.to_string_lossy().into_owned()).collect();
        names.sort();
        for path in names {
            let version = Path::new(&path).file_name().map(|name| name.to_string_lossy().into_owned());
            key = key.with(version.unwrap_or_default());
        }
        Ok(Sources {
            cpython,
            guest,
            zig: toolchain.join("ziglang"),
            tzdata: toolchain.join("tzdata"),
            crates,
            key,
            guest_key,
            toolchain: toolchain.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        })
    }

    /// The folder of a crate that this package names for its C sources.
    pub fn c_sources(&self, name: &str) -> Result<&Path> {
        self.crates.get(name).map(PathBuf::as_path).ok_or_else(|| format!("{name} is not in Cargo.lock"))
    }
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).map_err(|e| format!("cannot read {path}: {e}"))
}

fn cpython(folder: &Path, tools: &Tools) -> Result<()> {
    let tarball = match env::var_os(TARBALL_VARIABLE) {
        Some(path) => PathBuf::from(path),
        None => {
            let path = folder.join("cpython.tar.xz");
            let mut fetch = Command::new(&tools.python);
            fetch.arg("build/fetch.py").arg(&path).args(urls());
            shell::run(&mut fetch, &folder.join("fetch.log"))
                .map_err(|e| format!("{e}\nhint: set {TARBALL_VARIABLE} to a copy of Python-{VERSION}.tar.xz"))?;
            path
        }
    };
    let bytes = fs::read(&tarball).map_err(|e| format!("cannot read {}: {e}", tarball.display()))?;
    let found = hex(&Sha256::digest(&bytes));
    if found != SHA256 {
        return Err(format!("{} has SHA-256 {found}, not {SHA256}: refused", tarball.display()));
    }
    let unpack = "import sys, tarfile\nt = tarfile.open(sys.argv[1])\nt.extractall(sys.argv[2])";
    let mut python = Command::new(&tools.python);
    shell::run(python.args(["-c", unpack]).arg(&tarball).arg(folder), &folder.join("unpack.log"))?;
    let unpacked = folder.join(format!("Python-{VERSION}"));
    for entry in fs::read_dir(&unpacked).map_err(|e| e.to_string())? {
        let from = entry.map_err(|e| e.to_string())?.path();
        let to = folder.join(from.file_name().unwrap_or_default());
        fs::rename(&from, &to).map_err(|e| format!("cannot move {}: {e}", from.display()))?;
    }
    Ok(())
}

fn guest(cpython: &Path, folder: &Path) -> Result<()> {
    copy(cpython, folder).map_err(|e| format!("cannot copy {}: {e}", cpython.display()))?;
    patch(folder)?;
    data_model::widen(folder)
}

/// Copies a source tree without what no build reads.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    const UNUSED: [&str; 4] = ["Doc", "PCbuild", "cpython.tar.xz", "test"];
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if UNUSED.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Upstream first; Debian's pool carries the identical file on whatever mirror the machine uses.
fn urls() -> Vec<String> {
    let mut urls = vec![format!("https://www.python.org/ftp/python/{VERSION}/Python-{VERSION}.tar.xz")];
    let sites = shell::output("apt-get", &["indextargets", "--format", "$(SITE)"]).unwrap_or_default();
    let mut sites: Vec<_> = sites.lines().collect();
    sites.dedup();
    urls.extend(sites.iter().map(|site| format!("{site}/pool/main/p/python3.14/python3.14_{VERSION}.orig.tar.xz")));
    urls
}

fn patch(tree: &Path) -> Result<()> {
    let mut patches: Vec<_> = fs::read_dir("patches")
        .map_err(|e| format!("cannot read patches: {e}"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "patch"))
        .collect();
    patches.sort();
    for path in patches {
        let text = fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        let fail = |what: String| format!("{} does not apply: {what}", path.display());
        // One `diff` line starts each file's part.
        for part in text.split("\ndiff ").filter_map(|part| part.find("\n--- ").map(|at| &part[at + 1..])) {
            let part = if part.ends_with('\n') { part.to_owned() } else { format!("{part}\n") };
            let parsed = diffy::Patch::from_str(&part).map_err(|e| fail(e.to_string()))?;
            let name =
                parsed.original().and_then(|name| name.strip_prefix("a/")).ok_or_else(|| fail("no name".into()))?;
            let file = tree.join(name);
            let original = fs::read_to_string(&file).map_err(|e| fail(format!("{name}: {e}")))?;
            let patched = diffy::apply(&original, &parsed).map_err(|e| fail(format!("{name}: {e}")))?;
            fs::write(&file, patched).map_err(|e| fail(format!("{name}: {e}")))?;
        }
    }
    Ok(())
}

fn pip(folder: &Path, tools: &Tools) -> Result<()> {
    let mut pip = Command::new(&tools.python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--only-binary", ":all:"])
        .args(["--require-hashes", "--requirement", "toolchain.txt", "--target"])
        .arg(folder);
    shell::run(&mut pip, &folder.join("pip.log"))
}

/// Gives this copy of wasi-libc Linux's errno numbers, and file modes where WASI has none.
///
/// WASI numbers its errors in its own order, and Python programs print them. The constants become Linux's; numbers that
/// come from the host are translated in the one file where every host call returns.
fn linux_errno(libc: &Path) -> Result<()> {
    let table = read("wasi-libc/errno.tsv")?;
    let rows: Vec<Vec<&str>> =
        table.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect()).collect();
    let mut names = String::new();
    let mut messages = BTreeMap::new();
    let mut to_linux = [0u16; 77];
    let wasi_header = libc.join("include/wasm-wasi-musl/wasi/api.h");
    edit(&wasi_header, |text| {
        let mut text = text.to_owned();
        for row in &rows {
            let [name, linux, wasi, message] = row[..] else {
                return Err(format!("wasi-libc/errno.tsv: bad row {row:?}"));
            };
            messages.entry(linux).or_insert(message);
            match wasi.parse::<usize>() {
                Ok(number) => {
                    let old = format!("#define __WASI_ERRNO_{} (UINT16_C({number}))", &name[1..]);
                    let new = format!("#define __WASI_ERRNO_{} (UINT16_C({linux}))", &name[1..]);
                    text = replace_once(&text, &old, &new)?;
                    to_linux[number] = linux.parse().map_err(|e| format!("wasi-libc/errno.tsv: {name}: {e}"))?;
                }
                Err(_) => names.push_str(&format!("#ifndef {name}\n#define {name} {linux}\n#endif\n")),
            }
        }
        Ok(text)
    })?;
    edit(&libc.join("include/wasm-wasi-musl/__errno_values.h"), |text| {
        let at = text.rfind("#endif").ok_or("__errno_values.h has no #endif")?;
        Ok(format!("{}{names}{}", &text[..at], &text[at..]))
    })?;
    let numbers: Vec<_> = to_linux.iter().map(u16::to_string).collect();
    let translate = format!(
        "#include <string.h>\n\nstatic __wasi_errno_t linux_errno(int32_t wasi) {{\n    static const uint16_t to[] = \
         {{{}}};\n    return (uint32_t)wasi < sizeof to / sizeof *to ? to[wasi] : EIO_NUMBER;\n}}\n",
        numbers.join(", ")
    )
    .replace("EIO_NUMBER", "5");
    edit(&libc.join("wasi/libc-bottom-half/sources/__wasilibc_real.c"), |text| {
        let text = replace_once(text, "#include <string.h>\n", &translate)?;
        let text = text.replace("return (uint16_t) ret;", "return linux_errno(ret);");
        // Each event has a number of its own.
        let call = "(int32_t) nsubscriptions, (int32_t) retptr0);\n";
        let events = "    for (__wasi_size_t i = 0; ret == 0 && i < *retptr0; i++) {\n        out[i].error = \
                      linux_errno(out[i].error);\n    }\n";
        replace_once(&text, call, &format!("{call}{events}"))
    })?;
    let messages: String = messages.iter().map(|(number, text)| format!("ERROR({number}, {text:?})\n")).collect();
    let header = libc.join("wasi/libc-top-half/musl/src/errno/errno_messages.h");
    fs::write(&header, messages).map_err(|e| format!("cannot write {}: {e}", header.display()))?;
    // The time zones that `libc/time_local.c` adds.
    edit(&libc.join("include/wasm-wasi-musl/time.h"), |text| {
        Ok(text.replace("#ifdef __wasilibc_unmodified_upstream /* WASI has no timezone tables */", "#if 1"))
    })?;
    // Where musl and wasi-libc differ from glibc in what Python programs see.
    edit(&libc.join("wasi/libc-top-half/musl/src/time/gmtime_r.c"), |text| {
        replace_once(text, "tm->__tm_zone = __utc;", "tm->__tm_zone = \"GMT\";")
    })?;
    edit(&libc.join("wasi/libc-bottom-half/sources/chdir.c"), |text| {
        let marker = "    // First, make our path absolute taking the cwd into account.\n";
        replace_once(
            text,
            marker,
            &format!("    if (path[0] == 0) {{\n        errno = ENOENT;\n        return -1;\n    }}\n{marker}"),
        )
    })?;
    // Events have Linux's numbers.
    edit(&libc.join("include/wasm-wasi-musl/__header_poll.h"), |text| {
        let numbers = [("IN", 1), ("PRI", 2), ("OUT", 4), ("ERR", 8), ("HUP", 16), ("NVAL", 32), ("RDNORM", 64)]
            .map(|(name, number)| format!("#define POLL{name} {number}\n"))
            .concat();
        let others = text.lines().filter(|line| !line.starts_with("#define POLL")).collect::<Vec<_>>().join("\n");
        replace_once(&others, "int poll(", &format!("{numbers}#define POLLWRNORM 256\nint poll("))
    })?;
    edit(&libc.join("wasi/libc-bottom-half/cloudlibc/src/libc/poll/poll.c"), |text| {
        let text = text.replace("(pollfd->events & POLLRDNORM)", "(pollfd->events & (POLLIN | POLLRDNORM))");
        let text = text.replace("(pollfd->events & POLLWRNORM)", "(pollfd->events & (POLLOUT | POLLWRNORM))");
        let text = text.replace("revents |= POLLRDNORM", "revents |= pollfd->events & (POLLIN | POLLRDNORM)");
        let text = text.replace("revents |= POLLWRNORM", "revents |= pollfd->events & (POLLOUT | POLLWRNORM)");
        Ok(text.replace("revents &= ~POLLWRNORM", "revents &= ~(POLLOUT | POLLWRNORM)"))
    })?;
    // CPU time is a clock of its own, not the monotonic one.
    edit(&libc.join("wasi/libc-bottom-half/clocks/clock.c"), |text| {
        Ok(text.replace("__WASI_CLOCKID_MONOTONIC", "__WASI_CLOCKID_PROCESS_CPUTIME_ID"))
    })?;
    // The host packs permission bits into the upper half of nlink.
    edit(&libc.join("wasi/libc-bottom-half/cloudlibc/src/libc/sys/stat/stat_impl.h"), |text| {
        let text = replace_once(
            text,
            ".st_nlink = in->nlink,",
            ".st_nlink = in->nlink & 0xffffffff,\n      .st_mode = in->nlink >> 32,\n      .st_uid = 1000,\n      .st_gid = \
             1000,\n      .st_blksize = 4096,\n      .st_blocks = (in->size + 4095) / 4096 * 8,",
        )?;
        Ok(text)
    })
}

/// Replaces files of libc by those of the same name under `from`.
fn overlay(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).map_err(|e| format!("cannot read {}: {e}", from.display()))? {
        let path = entry.map_err(|e| format!("cannot read {}: {e}", from.display()))?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            overlay(&path, &target)?;
        } else if target.exists() {
            fs::copy(&path, &target).map_err(|e| format!("cannot write {}: {e}", target.display()))?;
        } else {
            return Err(format!("{} replaces nothing in libc", path.display()));
        }
    }
    Ok(())
}

fn edit(path: &Path, change: impl FnOnce(&str) -> Result<String>) -> Result<()> {
    let text = fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let changed = change(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    fs::write(path, changed).map_err(|e| format!("cannot write {}: {e}", path.display()))
}

fn replace_once(text: &str, old: &str, new: &str) -> Result<String> {
    if text.matches(old).count() != 1 {
        return Err(format!("expected once: {old}"));
    }
    Ok(text.replacen(old, new, 1))
}

/// Where cargo unpacked the crates whose C sources we compile.
fn crates() -> Result<HashMap<String, PathBuf>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = env::var("CARGO_MANIFEST_DIR").map_err(|_| "CARGO_MANIFEST_DIR is not set: run through cargo")?;
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--manifest-path"])
        .arg(Path::new(&manifest).join("Cargo.toml"))
        .output()
        .map_err(|e| format!("cannot run cargo metadata: {e}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))?;
    let names = ["bzip2-sys", "libffi-sys", "liblzma-sys", "libsqlite3-sys", "libz-sys", "zstd-sys"];
    let mut found = HashMap::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        if let (Some(name), Some(manifest)) = (package["name"].as_str(), package["manifest_path"].as_str())
            && names.contains(&name)
            && let Some(folder) = Path::new(manifest).parent()
        {
            found.insert(name.to_owned(), folder.to_owned());
        }
    }
    Ok(found)
}
