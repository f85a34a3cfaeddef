#!/usr/bin/env bash
# Installs cargo-deny, which checks licences and sources of the dependencies, where it isn't there.
set -euo pipefail

version=0.20.2
if cargo deny --version 2>/dev/null | grep -qF "$version"; then
    exit 0
fi
cargo install --locked --no-default-features --version "$version" cargo-deny
