#!/usr/bin/env bash
# Packages every library of the workspace, as for a registry, and builds a user's crate on the packages: on the networks and
# Burn alone. Prints the number of crates in its tree, runs it and the examples of xception-models.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../..
target=${CARGO_TARGET_DIR:-$root/target}

cd "$root"
packages=(messages files fetch images formats data kernels models optimizers parallel train)
arguments=()
for package in "${packages[@]}"; do arguments+=(-p "xception-$package"); done
cargo package --no-verify --allow-dirty "${arguments[@]}"

rm -rf "$here/packages"
mkdir "$here/packages"
for package in "${packages[@]}"; do
    # With the time of now: a package's files have a fixed one, by which cargo would take a changed file for an old one.
    tar -xzmf "$target/package/xception-$package-0.1.0.crate" -C "$here/packages"
done

cd "$here"
export CARGO_TARGET_DIR=$target-downstream
crates() {
    cargo tree --prefix none --edges normal --no-dedupe "$@" | sed 's/ (.*//' | sort -u | wc -l
}
echo "crates in its tree: $(crates)"
echo "crates in the tree of the networks alone: $(crates --no-default-features --features bare)"
cargo run --release
for example in own_loop own_head record; do
    cargo run --release --example "$example"
done
