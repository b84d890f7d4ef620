//! Functions of mathematics that the guest asks of the host.
//!
//! C libraries differ in the last digit of `exp`, `sin` or `pow`. A guest that calls the C library of this machine gets what
//! a Python outside of it gets, to the last bit.

use super::host::Host;
use wasmtime::{Caller, Linker};

/// Module from which `wasm-python/libc/floats.c` imports them.
pub(super) const MODULE: &str = "libm";

macro_rules! functions {
    (of one: $($(#[$attribute:meta])? $unary:ident)+; of two: $($binary:ident)+; of three: $($ternary:ident)+) => {
        #[expect(unsafe_code, reason = "std has only some of them; see the argument inside")]
        mod c {
            // SAFETY: these are functions of the C standard, which every C library has with exactly these types: doubles
            // in, a double out. They take any value, NaN and infinities as well, follow no pointer, write to nothing but
            // the thread's own errno and floating-point flags, which this program does not read, and may be called by any
            // number of threads.
            #[cfg_attr(unix, link(name = "m"))]
            unsafe extern "C" {
                $($(#[$attribute])? pub(super) safe fn $unary(x: f64) -> f64;)+
                $(pub(super) safe fn $binary(x: f64, y: f64) -> f64;)+
                $(pub(super) safe fn $ternary(x: f64, y: f64, z: f64) -> f64;)+
            }
        }
        const UNARY: &[(&str, extern "C" fn(f64) -> f64)] = &[$((stringify!($unary), c::$unary)),+];
        const BINARY: &[(&str, extern "C" fn(f64, f64) -> f64)] = &[$((stringify!($binary), c::$binary)),+];
        const TERNARY: &[(&str, extern "C" fn(f64, f64, f64) -> f64)] = &[$((stringify!($ternary), c::$ternary)),+];
    };
}

functions! {
    of one: acos acosh asin asinh atan atanh cos cosh erf erfc exp exp2 expm1 log log10 log1p log2 sin sinh tan tanh
        // Rust brings a `cbrt` of its own, which the linker prefers; glibc has this name for its own as well.
        #[cfg_attr(all(target_os = "linux", target_env = "gnu"), link_name = "cbrtf64")] cbrt;
    of two: atan2 hypot pow;
    of three: fma
}

/// Gives the guest all of them.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    for &(name, function) in UNARY {
        linker.func_wrap(MODULE, name, move |mut caller: Caller<'_, Host>, x: f64| {
            caller.data_mut().call_was_short();
            function(x)
        })?;
    }
    for &(name, function) in BINARY {
        linker.func_wrap(MODULE, name, move |mut caller: Caller<'_, Host>, x: f64, y: f64| {
            caller.data_mut().call_was_short();
            function(x, y)
        })?;
    }
    for &(name, function) in TERNARY {
        linker.func_wrap(MODULE, name, move |mut caller: Caller<'_, Host>, x: f64, y: f64, z: f64| {
            caller.data_mut().call_was_short();
            function(x, y, z)
        })?;
    }
    Ok(())
}
