//! Two builds of the same source: native (runs the other's build, packs the library, is what tests and benchmarks
//! compare with) and WASI.

use crate::{
    Result,
    clibs::{self, Compiler, strings},
    prerequisites::Tools,
    progress::Progress,
    shell,
    sources::Sources,
    store::{Key, Store},
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

const OPTIMISED: &str = "-DNDEBUG -O3 -g0";

pub struct Native {
    folder: PathBuf,
    key: Key,
}

impl Native {
    pub fn python(&self) -> PathBuf {
        self.folder.join("bin/python3.14")
    }
}

pub fn native(store: &Store, sources: &Sources, tools: &Tools, progress: &Progress) -> Result<Native> {
    let key = sources.key.clone().with("native").with(&tools.cc_version).with(recipe()?);
    let folder = store.step("native", &key, |folder| {
        progress.step("building native CPython", "2 to 4 minutes", || {
            let compiler =
                Compiler { cc: vec![tools.cc.clone(), "-fPIC".to_owned()], ar: strings(&["ar"]), jobs: tools.jobs };
            let sysroot = folder.join("sysroot");
            clibs::build(&compiler, sources, &sysroot)?;
            let build = folder.join("build");
            let mut configure = configure(&sources.cpython, &build)?;
            configure
                .args(["--disable-test-modules", "--without-ensurepip", &format!("OPT={OPTIMISED}")])
                .env("CC", &tools.cc)
                .envs(clibs::configure_variables(&sysroot));
            shell::run(&mut configure, &folder.join("configure.log"))?;
            shell::run(make(tools, &build).arg("all"), &folder.join("make.log"))?;
            install(&build, &sources.cpython, folder)
        })
    })?;
    Ok(Native { folder, key })
}

/// Lays out what `make install` would, without compiling the library three times over.
fn install(build: &Path, source: &Path, folder: &Path) -> Result<()> {
    let script = r#"
import os, pathlib, shutil, sys, compileall
build, source, folder = map(pathlib.Path, sys.argv[1:])
library = folder / "lib/python3.14"
shutil.copytree(source / "Lib", library, ignore=shutil.ignore_patterns("__pycache__", "idlelib", "tkinter", "turtledemo"))
(folder / "bin").mkdir()
shutil.copy2(build / "python", folder / "bin/python3.14")
dynload = library / "lib-dynload"
dynload.mkdir()
for item in (build / (build / "pybuilddir.txt").read_text().strip()).iterdir():
    if item.suffix == ".so":
        shutil.copy2(item, dynload)
    elif item.is_file():
        shutil.copy2(item, library)
compileall.compile_dir(library, quiet=2, workers=os.cpu_count(), rx=__import__("re").compile(r"/test/"))
"#;
    let mut python = Command::new(build.join("python"));
    python.args(["-I", "-c", script]).arg(build).arg(source).arg(folder);
    shell::run(&mut python, &folder.join("install.log"))?;
    fs::remove_dir_all(build).map_err(|e| format!("cannot remove {}: {e}", build.display()))
}

/// CPython for WASI: its build tree, of which the link takes the libraries and headers.
pub struct Wasm {
    pub build: PathBuf,
    pub sysroot: PathBuf,
    pub key: Key,
}

/// CPython decides on features by whether a program links. These link with zig although they cannot work. The sizes are
/// those of `data_model.rs`; WebAssembly loads from any address.
const CONFIG_SITE: &str = "
ac_cv_func_mmap=no
ac_cv_header_sys_mman_h=no
ac_cv_header_sys_epoll_h=no
ac_cv_func_epoll_create=no
ac_cv_func_epoll_create1=no
ac_cv_func_setgroups=no
ac_cv_func_timerfd_create=no
ac_cv_header_sys_timerfd_h=no
ac_cv_header_libintl_h=no
ac_cv_lib_intl_textdomain=no
ac_cv_func_pthread_detach=no
ac_cv_func_uname=no
ac_cv_func_fdopendir=yes
ac_cv_func_readv=yes
ac_cv_func_writev=yes
ac_cv_func_preadv=yes
ac_cv_func_pwritev=yes
py_cv_module__socket=n/a
py_cv_module_readline=n/a
py_cv_module__curses=n/a
ac_cv_sizeof_long=8
ac_cv_alignof_long=8
ac_cv_sizeof_size_t=8
ac_cv_alignof_size_t=8
ac_cv_aligned_required=no
";

pub fn wasm(store: &Store, sources: &Sources, tools: &Tools, native: &Native, progress: &Progress) -> Result<Wasm> {
    let key = native.key.clone().with("wasm").with(&sources.toolchain).with(sources.guest_key.short());
    let key = key.with_folder("ffi")?.with_folder("sqlite")?;
    let folder = store.step("wasi", &key, |folder| {
        progress.step("building CPython for WASI", "2 to 4 minutes", || {
            let compiler = compiler(&sources.zig, tools.jobs);
            let sysroot = folder.join("sysroot");
            clibs::build(&compiler, sources, &sysroot)?;
            ffi(&compiler, &sysroot)?;
            let site = folder.join("config.site");
            let upstream = sources.guest.join("Tools/wasm/wasi/config.site-wasm32-wasi");
            write(&site, &format!(". {}\n{CONFIG_SITE}", upstream.display()))?;
            let cc = wrapper(folder, &compiler)?;
            let build = folder.join("build");
            let mut configure = configure(&sources.guest, &build)?;
            let machine = shell::output(sources.cpython.join("config.guess"), &[] as &[&str]);
            configure
                .args(["--host=wasm32-wasip1", "--prefix=/usr", "--with-tzpath=/usr/share/zoneinfo"])
                .args(["--with-pymalloc", "--without-mimalloc"])
                .args(["--disable-test-modules", "--without-ensurepip", "--disable-ipv6"])
                .arg(format!("--build={}", machine.ok_or("config.guess failed")?))
                .arg(format!("--with-build-python={}", native.python().display()))
                // A number that wasi-libc's headers hide; `libc/posix.c` knows the command.
                .arg(format!("OPT={OPTIMISED} -DF_DUPFD_CLOEXEC=1030"))
                .env("CC", &cc)
                .env("CPP", format!("{} -E", cc.display()))
                .env("AR", format!("{} ar", sources.zig.join("zig").display()))
                .env("RANLIB", format!("{} ranlib", sources.zig.join("zig").display()))
                .env("CONFIG_SITE", &site)
                .env("LIBFFI_CFLAGS", format!("-I{}", sysroot.join("include").display()))
                .env("LIBFFI_LIBS", format!("-L{} -lffi", sysroot.join("lib").display()))
                .envs(clibs::configure_variables(&sysroot));
            shell::run(&mut configure, &folder.join("configure.log"))?;
            // Without its own python.wasm, which lacks what `libc/` adds.
            shell::run(make(tools, &build).args(["libpython3.14.a", "pybuilddir.txt"]), &folder.join("make.log"))
        })
    })?;
    Ok(Wasm { build: folder.join("build"), sysroot: folder.join("sysroot"), key })
}

/// zig as a C compiler for the guest.
///
/// Bulk memory, which zig's generic processor has, is taken out: with it, clang turns every small memcpy into an
/// instruction that is a call into the engine. Only `libc/` has it, for large blocks.
pub fn compiler(zig: &Path, jobs: usize) -> Compiler {
    const CPU: &str = "-mcpu=generic-bulk_memory-bulk_memory_opt+sign_ext+nontrapping_fptoint+mutable_globals+simd128";
    let program = zig.join("zig").to_string_lossy().into_owned();
    // zig compiles its libc on first use; that goes beside it, not into the user's own zig cache.
    let cache = format!("ZIG_GLOBAL_CACHE_DIR={}", zig.with_file_name("zig-cache").display());
    let mut cc = strings(&["env", &cache, &program, "cc", "-target", "wasm32-wasi-musl", CPU]);
    cc.extend(strings(&["-fno-sanitize=undefined", "-Wno-date-time"]));
    Compiler { cc, ar: vec![program, "ar".to_owned()], jobs }
}

/// A script for configure and make, which refuses or drops what zig's driver or the guest cannot take.
fn wrapper(folder: &Path, compiler: &Compiler) -> Result<PathBuf> {
    let path = folder.join("cc");
    let text = format!(
        "#!/bin/sh\n\
         # Links with -lpthread succeed although threads do not exist: make configure see that.\n\
         n=$#\n\
         while [ $n -gt 0 ]; do\n  a=$1; shift; n=$((n-1))\n  case \"$a\" in\n    \
         -lpthread|-lpthreads|-lc_r) echo 'no threads in WASI' >&2; exit 1;;\n    \
         -Wl,--stack-first|-Wl,--initial-memory=*) ;;\n    *) set -- \"$@\" \"$a\";;\n  esac\ndone\n\
         exec {} \"$@\"\n",
        compiler.cc.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ")
    );
    write(&path, &text)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&path, mode).map_err(|e| format!("cannot mark {} executable: {e}", path.display()))?;
    }
    Ok(path)
}

fn ffi(compiler: &Compiler, sysroot: &Path) -> Result<()> {
    let include = sysroot.join("include/ffi.h");
    fs::copy("ffi/ffi.h", &include).map_err(|e| format!("cannot copy ffi.h: {e}"))?;
    let objects =
        clibs::objects(compiler, &["ffi/ffi.c".into()], &strings(&["-O3", "-Iffi"]), &sysroot.join("obj-ffi"))?;
    let mut ar = Command::new(&compiler.ar[0]);
    ar.args(&compiler.ar[1..]).arg("rcs").arg(sysroot.join("lib/libffi.a")).args(objects);
    shell::run(&mut ar, &sysroot.join("ar.log"))
}

fn configure(source: &Path, build: &Path) -> Result<Command> {
    fs::create_dir_all(build).map_err(|e| format!("cannot write {}: {e}", build.display()))?;
    let mut configure = Command::new(source.join("configure"));
    configure.current_dir(build).arg("--quiet");
    // The result must not depend on what else is installed, nor on flags meant for Rust's C code.
    configure.env("PKG_CONFIG_LIBDIR", "/nonexistent").env("PKG_CONFIG_PATH", "");
    for variable in ["CFLAGS", "CPPFLAGS", "LDFLAGS", "LIBS", "PYTHONPATH", "PYTHONHOME"] {
        configure.env_remove(variable);
    }
    Ok(configure)
}

/// make with cargo's job server, so that both together use the machine once.
fn make(tools: &Tools, build: &Path) -> Command {
    let mut make = Command::new("make");
    make.current_dir(build);
    match env::var("CARGO_MAKEFLAGS") {
        Ok(flags) => make.env("MAKEFLAGS", flags),
        Err(_) => make.arg(format!("-j{}", tools.jobs)),
    };
    make
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))
}

/// The source of the build steps is an input of them.
fn recipe() -> Result<String> {
    ["build/cpython.rs", "build/clibs.rs"]
        .iter()
        .map(|path| fs::read_to_string(path).map_err(|e| format!("cannot read {path}: {e}")))
        .collect()
}
