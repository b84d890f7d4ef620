#!/bin/sh
# Compiles pyexec and the targets with what libFuzzer needs to see where the code goes, and with checks; stable compilers
# can do both. Everything else is compiled as usual.
case " $* " in
*" --crate-name build_script_"*) exec "$@" ;;
*" --crate-name pyexec "* | *" targets/"*)
    exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-trace-compares -Coverflow-checks=on -Cdebug-assertions=on
    ;;
esac
exec "$@"
