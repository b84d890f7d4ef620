//! Errors of the host as WASI numbers them.

use crate::executor::wasm::preview1::types::Errno;
use std::io;

pub(crate) type Result<T, E = Errno> = std::result::Result<T, E>;

/// WASI's number for an error of the host.
pub(super) fn errno(error: impl Into<io::Error>) -> Errno {
    use rustix::io::Errno as Host;
    let error = error.into();
    let Some(code) = error.raw_os_error() else {
        // cap-std refuses what leads outside with an error that has no number.
        return match error.kind() {
            io::ErrorKind::NotFound => Errno::Noent,
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Errno::Inval,
            io::ErrorKind::PermissionDenied => Errno::Perm,
            io::ErrorKind::AlreadyExists => Errno::Exist,
            _ => Errno::Io,
        };
    };
    match Host::from_raw_os_error(code) {
        Host::PERM => Errno::Perm,
        Host::NOENT => Errno::Noent,
        Host::INTR => Errno::Intr,
        Host::NXIO => Errno::Nxio,
        Host::BADF => Errno::Badf,
        Host::AGAIN => Errno::Again,
        Host::NOMEM => Errno::Nomem,
        Host::ACCESS => Errno::Acces,
        Host::BUSY => Errno::Busy,
        Host::EXIST => Errno::Exist,
        Host::XDEV => Errno::Xdev,
        Host::NOTDIR => Errno::Notdir,
        Host::ISDIR => Errno::Isdir,
        Host::INVAL => Errno::Inval,
        Host::NFILE => Errno::Nfile,
        Host::MFILE => Errno::Mfile,
        Host::TXTBSY => Errno::Txtbsy,
        Host::FBIG => Errno::Fbig,
        Host::NOSPC | Host::DQUOT => Errno::Nospc,
        Host::SPIPE => Errno::Spipe,
        Host::ROFS => Errno::Rofs,
        Host::MLINK => Errno::Mlink,
        Host::NAMETOOLONG => Errno::Nametoolong,
        Host::NOTEMPTY => Errno::Notempty,
        Host::LOOP => Errno::Loop,
        Host::OVERFLOW => Errno::Overflow,
        Host::NOTSUP => Errno::Notsup,
        _ => Errno::Io,
    }
}
