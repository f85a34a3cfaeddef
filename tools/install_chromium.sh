#!/usr/bin/env bash
# Installs Chromium, which opens reports in the tests. Debian and its relatives; does nothing where one is there.
set -euo pipefail

for program in chromium chromium-browser google-chrome; do
    if command -v "$program"; then
        exit 0
    fi
done
as_root=()
if [ "$(id -u)" != 0 ]; then
    as_root=(sudo)
fi
"${as_root[@]}" apt-get update
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    chromium fonts-liberation
