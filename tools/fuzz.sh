#!/usr/bin/env bash
# Fuzzes the readers of weights files and images with libFuzzer and the address sanitizer.
#
#   bash tools/fuzz.sh [SECONDS [TARGET...]]    60 seconds of every target unless told otherwise
#
# The corpus starts from the tests' fixtures and grows in fuzz/corpus, which git ignores. A file that breaks a target is
# left in fuzz/artifacts/TARGET: mend the fault, move the file to the crate's tests/fixtures/found/TARGET, and add its
# expected outcome to that crate's test `found`. Works with the stable toolchain.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:-60}
shift || true
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
    targets=(safetensors pytorch burnpack keras_hdf5 keras_archive image labels)
fi

command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz@0.13.2
export RUSTC_BOOTSTRAP=1 # the sanitizers are unstable options
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/fuzz/target}"

formats=crates/formats/tests/fixtures
models=crates/models/tests/fixtures
images=crates/images/tests/fixtures

# Copies the fixtures of a target into its corpus.
seed() {
    local corpus=fuzz/corpus/$1 file
    mkdir -p "$corpus"
    case "$1" in
        safetensors) cp "$formats"/*.safetensors "$corpus" ;;
        pytorch) cp "$formats"/{small,hostile_climbing,hostile_code_archive}.pth "$models/resnet18_legacy.pth" "$corpus" ;;
        burnpack) cp "$formats"/*.bpk "$corpus" ;;
        keras_hdf5)
            cp "$formats"/*.h5 "$corpus"
            gzip -dc "$models/xception_keras2.h5.gz" >"$corpus/xception_keras2.h5"
            ;;
        keras_archive) cp "$formats"/small.keras "$corpus" ;;
        image)
            for file in "$images"/{decode,jpeg}/*; do
                case "$file" in
                    *.rgb.png) ;;
                    *) cp "$file" "$corpus/$(basename "$(dirname "$file")")_$(basename "$file")" ;;
                esac
            done
            ;;
        labels) printf 'tench\n great white shark \n\n' >"$corpus/labels.txt" ;;
    esac
    for file in crates/{formats,images}/tests/fixtures/found/"$1"/*; do
        if [ -f "$file" ]; then
            cp "$file" "$corpus/found_$(basename "$file")"
        fi
    done
}

cargo fuzz build
for target in "${targets[@]}"; do
    printf '\n== %s\n' "$target"
    seed "$target"
    cargo fuzz run "$target" "fuzz/corpus/$target" -- -max_total_time="$seconds" -max_len=131072 -timeout=20 \
        -rss_limit_mb=2048 -malloc_limit_mb=512 -print_final_stats=1
done
