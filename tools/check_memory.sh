#!/usr/bin/env bash
# Runs the kernels' tests under valgrind, which finds reads of memory that is not written yet, freed or beyond an
# allocation's end, and writes there. It knows no AVX-512, so these are the kernels for AVX2 and for any processor.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v valgrind >/dev/null; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" apt-get install -yq --no-install-recommends valgrind
fi

mapfile -t tests < <(
    cargo test --release --workspace --no-run --message-format=json |
        grep -F 'crates/kernels#' | grep -oE '"executable":"[^"]+"' | cut -d'"' -f4 | grep -F /deps/
)
if [ "${#tests[@]}" = 0 ]; then
    echo "found no tests of the kernels to run" >&2
    exit 1
fi
for test in "${tests[@]}"; do
    case $(basename "$test") in
        convolution-*) skipped=(--skip networks_layers --skip small_maps --skip number_of_threads) ;; # too long by far
        layers-* | fused-*) continue ;;                                      # benches
        *) skipped=() ;;
    esac
    RAYON_NUM_THREADS=2 PROPTEST_CASES=24 valgrind --quiet --error-exitcode=1 --leak-check=no "$test" "${skipped[@]}"
done
