#!/bin/sh
# run.sh TARGET [SECONDS [INPUT…]]: fuzzes a target for some time, ten minutes if none is given, or runs it on these inputs.
set -eu
cd "$(dirname "$0")"
target=$1 seconds=${2:-600}
mkdir -p "findings/$target" "artifacts/$target"

# The versions are those of the rest; libFuzzer comes to them.
cp ../Cargo.lock Cargo.lock
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/../target} RUSTC_WRAPPER="$PWD/rustc.sh"
export CARGO_TARGET_DIR RUSTC_WRAPPER
${CARGO_BUILD:-cargo build --release} --bin "$target"
run="$CARGO_TARGET_DIR/release/$target"
if [ $# -gt 2 ]; then
    shift 2
    exec "$run" "$@"
fi
exec "$run" "findings/$target" "corpus/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -max_len=65536 -artifact_prefix="artifacts/$target/"
