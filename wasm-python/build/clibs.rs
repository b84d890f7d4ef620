//! Compiles zlib, bzip2, liblzma, zstd and SQLite with any compiler, and libc replacements and ffi for the guest.

use crate::{Result, shell, sources::Sources};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
    thread,
};

/// A compiler and archiver with the flags every object gets.
pub struct Compiler {
    pub cc: Vec<String>,
    pub ar: Vec<String>,
    pub jobs: usize,
    /// Whether what it compiles for has threads.
    pub threads: bool,
}

struct Library {
    name: &'static str,
    files: Vec<PathBuf>,
    flags: Vec<String>,
    headers: Vec<PathBuf>,
}

/// Fills `sysroot` with `include/` and `lib/` for CPython's zlib, bz2, lzma, zstd and sqlite3 modules.
pub fn build(compiler: &Compiler, sources: &Sources, sysroot: &Path) -> Result<()> {
    let libraries = [zlib(sources)?, bzip2(sources)?, lzma(sources)?, zstd(compiler, sources)?, sqlite(sources)?];
    for folder in ["include", "lib"] {
        fs::create_dir_all(sysroot.join(folder)).map_err(|e| format!("cannot write {}: {e}", sysroot.display()))?;
    }
    for library in &libraries {
        archive(compiler, library, sysroot)?;
    }
    Ok(())
}

/// What CPython's configure is told about them, so that it asks neither pkg-config nor the system.
pub fn configure_variables(sysroot: &Path) -> Vec<(String, String)> {
    let include = format!("-I{}", sysroot.join("include").display());
    let lib = sysroot.join("lib");
    [("ZLIB", "z"), ("BZIP2", "bz2"), ("LIBLZMA", "lzma"), ("LIBZSTD", "zstd"), ("LIBSQLITE3", "sqlite3")]
        .iter()
        .flat_map(|(variable, name)| {
            [
                (format!("{variable}_CFLAGS"), include.clone()),
                (format!("{variable}_LIBS"), format!("-L{} -l{name} -lm", lib.display())),
            ]
        })
        .collect()
}

/// Compiles `files` into objects in `folder`, several at a time.
pub fn objects(compiler: &Compiler, files: &[PathBuf], flags: &[String], folder: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).map_err(|e| format!("cannot write {}: {e}", folder.display()))?;
    let queue: Mutex<Vec<(usize, &PathBuf)>> = Mutex::new(files.iter().enumerate().collect());
    let object = |i: usize, file: &Path| {
        folder.join(format!("{i}-{}.o", file.file_stem().unwrap_or_default().to_string_lossy()))
    };
    let work = || -> Result<()> {
        loop {
            let next = queue.lock().map_err(|_| "a compile thread panicked")?.pop();
            let Some((i, file)) = next else { return Ok(()) };
            let mut command = Command::new(&compiler.cc[0]);
            command.args(&compiler.cc[1..]).args(flags).arg("-c").arg(file).arg("-o").arg(object(i, file));
            shell::run(&mut command, &folder.join(format!("{i}.log")))?;
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..compiler.jobs).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a compile thread panicked")?)
    })?;
    Ok(files.iter().enumerate().map(|(i, file)| object(i, file)).collect())
}

fn archive(compiler: &Compiler, library: &Library, sysroot: &Path) -> Result<()> {
    let objects = objects(compiler, &library.files, &library.flags, &sysroot.join(format!("obj-{}", library.name)))?;
    for header in &library.headers {
        let to = sysroot.join("include").join(header.file_name().unwrap_or_default());
        if header.is_dir() {
            fs::create_dir_all(&to).map_err(|e| format!("cannot write {}: {e}", to.display()))?;
            for file in c_files(header, "h")? {
                let copy = to.join(file.file_name().unwrap_or_default());
                fs::copy(&file, &copy).map_err(|e| format!("cannot copy {}: {e}", file.display()))?;
            }
        } else {
            fs::copy(header, &to).map_err(|e| format!("cannot copy {}: {e}", header.display()))?;
        }
    }
    let mut ar = Command::new(&compiler.ar[0]);
    ar.args(&compiler.ar[1..]).arg("rcs").arg(sysroot.join(format!("lib/lib{}.a", library.name))).args(objects);
    shell::run(&mut ar, &sysroot.join("ar.log"))
}

fn zlib(sources: &Sources) -> Result<Library> {
    let folder = sources.c_sources("libz-sys")?.join("src/zlib");
    Ok(Library {
        name: "z",
        files: c_files(&folder, "c")?,
        flags: strings(&["-O3", "-DHAVE_UNISTD_H", "-DZ_HAVE_UNISTD_H", "-w"]),
        headers: vec![folder.join("zlib.h"), folder.join("zconf.h")],
    })
}

fn bzip2(sources: &Sources) -> Result<Library> {
    let folder = sources.c_sources("bzip2-sys")?.join("bzip2-1.0.8");
    let names = ["blocksort", "huffman", "crctable", "randtable", "compress", "decompress", "bzlib"];
    Ok(Library {
        name: "bz2",
        files: names.iter().map(|name| folder.join(format!("{name}.c"))).collect(),
        flags: strings(&["-O3", "-D_FILE_OFFSET_BITS=64", "-w"]),
        headers: vec![folder.join("bzlib.h")],
    })
}

fn lzma(sources: &Sources) -> Result<Library> {
    let root = sources.c_sources("liblzma-sys")?;
    let liblzma = root.join("xz/src/liblzma");
    let parts = ["common", "lzma", "lz", "check", "delta", "rangecoder", "simple"];
    let mut files = Vec::new();
    for part in parts {
        files.extend(c_files(&liblzma.join(part), "c")?.into_iter().filter(|file| {
            let stem = file.file_stem().unwrap_or_default().to_string_lossy();
            // Table generators, size-optimised variants, and the multi-threaded coders.
            !(stem.ends_with("tablegen") || stem.ends_with("_small") || stem.ends_with("mt") || stem.ends_with("_gen"))
        }));
    }
    files.push(root.join("xz/src/common/tuklib_physmem.c"));
    let mut flags = strings(&["-O2", "-std=c99", "-DHAVE_CONFIG_H", "-DNDEBUG", "-w"]);
    flags.push(format!("-I{}", root.display()));
    flags.push(format!("-I{}", root.join("xz/src/common").display()));
    flags.push(format!("-I{}", liblzma.join("api").display()));
    flags.extend(parts.iter().map(|part| format!("-I{}", liblzma.join(part).display())));
    Ok(Library { name: "lzma", files, flags, headers: vec![liblzma.join("api/lzma.h"), liblzma.join("api/lzma")] })
}

fn zstd(compiler: &Compiler, sources: &Sources) -> Result<Library> {
    let folder = sources.c_sources("zstd-sys")?.join("zstd/lib");
    let mut files = Vec::new();
    for part in ["common", "compress", "decompress", "dictBuilder"] {
        files.extend(c_files(&folder.join(part), "c")?);
    }
    let headers = ["zstd.h", "zdict.h", "zstd_errors.h"].map(|name| folder.join(name));
    let mut flags = strings(&["-O3", "-DZSTD_DISABLE_ASM", "-DZSTD_LEGACY_SUPPORT=0", "-w"]);
    if compiler.threads {
        flags.push("-DZSTD_MULTITHREAD".to_owned());
    }
    Ok(Library { name: "zstd", files, flags, headers: headers.to_vec() })
}

fn sqlite(sources: &Sources) -> Result<Library> {
    let folder = sources.c_sources("libsqlite3-sys")?.join("sqlite3");
    Ok(Library {
        name: "sqlite3",
        files: vec![folder.join("sqlite3.c")],
        flags: strings(&[
            "-O2",
            "-w",
            "-include",
            "sqlite/linux.h",
            "-DSQLITE_THREADSAFE=0",
            "-DSQLITE_OMIT_LOAD_EXTENSION",
            "-DSQLITE_ENABLE_FTS3",
            "-DSQLITE_ENABLE_FTS3_PARENTHESIS",
            "-DSQLITE_ENABLE_FTS4",
            "-DSQLITE_ENABLE_FTS5",
            "-DSQLITE_ENABLE_STMTVTAB",
            "-DSQLITE_SECURE_DELETE",
            "-DSQLITE_SOUNDEX",
            "-DSQLITE_MAX_VARIABLE_NUMBER=250000",
            "-DSQLITE_ENABLE_MATH_FUNCTIONS",
            "-DSQLITE_ENABLE_RTREE",
            "-DSQLITE_ENABLE_COLUMN_METADATA",
            "-DSQLITE_ENABLE_DBSTAT_VTAB",
        ]),
        headers: vec![folder.join("sqlite3.h")],
    })
}

/// Files of `folder` with this extension, in a fixed order.
pub fn c_files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .map_err(|e| format!("cannot read {}: {e}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    Ok(files)
}

pub fn strings(items: &[&str]) -> Vec<String> {
    items.iter().map(|&item| item.to_owned()).collect()
}
