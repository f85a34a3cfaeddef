#!/usr/bin/env bash
# Runs the kernels' tests with tools that find faults in memory.
#
#   bash tools/check_memory.sh            both parts
#   bash tools/check_memory.sh asan       under AddressSanitizer: accesses outside of an allocation or after its end,
#                                         with the kernels of all instruction sets that the processor has
#   bash tools/check_memory.sh valgrind   under valgrind: also reads of memory that is not written yet; it knows no
#                                         AVX-512, so these are the kernels for AVX2 and for any processor
#
# Each part first shows that it finds a fault that is there. AddressSanitizer needs a build of its own, in a folder
# beside the others; the first one takes as long as any first build, and each later run about two minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# expect_fault NAME COMMAND...: COMMAND must fail, and NAME must be in its output.
expect_fault() {
    local name=$1
    shift
    if "$@" >"$scratch/output" 2>&1 || ! grep -qF "$name" "$scratch/output"; then
        echo "the check does not find a fault that is there ($name):" >&2
        cat "$scratch/output" >&2
        exit 1
    fi
}

asan() {
    local host flags=-Zsanitizer=address
    host=$(rustc -vV | sed -n 's/^host: //p')
    # Unstable options of a stable compiler.
    export RUSTC_BOOTSTRAP=1
    cat >"$scratch/overrun.rs" <<'RUST'
fn main() {
    let mut values = vec![0f32; 64];
    let length = std::hint::black_box(values.len());
    // A vector of which the last lane lies beyond the end.
    unsafe { values.as_mut_ptr().add(length - 15).cast::<[f32; 16]>().write([1.0; 16]) };
    std::hint::black_box(values);
}
RUST
    rustc -O "$flags" --target "$host" -o "$scratch/overrun" "$scratch/overrun.rs"
    expect_fault heap-buffer-overflow "$scratch/overrun"
    RUSTFLAGS=$flags CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}-asan" PROPTEST_CASES=128 \
        cargo test --release --target "$host" -p xception-kernels --lib --tests
}

valgrind_() {
    if ! command -v valgrind >/dev/null; then
        local as_root=()
        [ "$(id -u)" = 0 ] || as_root=(sudo)
        "${as_root[@]}" apt-get update -q
        "${as_root[@]}" apt-get install -yq --no-install-recommends valgrind
    fi
    local checked=(valgrind --quiet --error-exitcode=1 --leak-check=no)
    cat >"$scratch/unwritten.rs" <<'RUST'
fn main() {
    let mut values = Vec::<f32>::with_capacity(std::hint::black_box(64));
    unsafe { values.set_len(64) };
    println!("{}", std::hint::black_box(values)[1] > 0.5);
}
RUST
    rustc -O -o "$scratch/unwritten" "$scratch/unwritten.rs"
    expect_fault uninitialised "${checked[@]}" "$scratch/unwritten"
    local tests test skipped
    mapfile -t tests < <(
        cargo test --release -p xception-kernels --lib --tests --no-run --message-format=json |
            grep -F 'crates/kernels#' | grep -oE '"executable":"[^"]+"' | cut -d'"' -f4
    )
    if [ "${#tests[@]}" = 0 ]; then
        echo "found no tests of the kernels to run" >&2
        exit 1
    fi
    for test in "${tests[@]}"; do
        skipped=()
        case $(basename "$test") in
            # Large layers, which take hours here; the sanitizer runs them.
            convolution-*) skipped=(--skip networks_layers --skip small_maps --skip number_of_threads) ;;
        esac
        RUST_BACKTRACE=0 RAYON_NUM_THREADS=2 PROPTEST_CASES=24 "${checked[@]}" "$test" "${skipped[@]}"
    done
}

case ${1:-both} in
    asan) asan ;;
    valgrind) valgrind_ ;;
    both)
        (asan)
        valgrind_
        ;;
    *)
        echo "usage: $0 [asan|valgrind]" >&2
        exit 2
        ;;
esac
