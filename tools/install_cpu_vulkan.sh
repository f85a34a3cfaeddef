#!/usr/bin/env bash
# Installs Mesa's Vulkan driver for the processor (llvmpipe), so that the wgpu backend runs without a
# graphics card. Debian and its relatives; does nothing where a driver is there.
set -euo pipefail

drivers=(/usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json)
for driver in "${drivers[@]}"; do
    if [ -e "$driver" ]; then
        echo "Vulkan driver: $driver"
        exit 0
    fi
done
as_root=()
if [ "$(id -u)" != 0 ]; then
    as_root=(sudo)
fi
"${as_root[@]}" apt-get update
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    libvulkan1 mesa-vulkan-drivers
