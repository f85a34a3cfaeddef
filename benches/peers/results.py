"""What was measured, in a JSON file."""

import datetime
import json
import os
import pathlib
import platform
import re
import subprocess

import environment

VERSION = 1


class Results:
    """Rows with their turns; those of an earlier run in the same place are kept."""

    def __init__(self, path, threads):
        self.path = path
        self.content = {"version": VERSION, "machine": machine(), "threads": threads, "rows": {}}
        try:
            earlier = json.loads(path.read_text())
        except FileNotFoundError:
            return
        if all(earlier.get(key) == self.content[key] for key in ["version", "machine", "threads"]):
            self.content["rows"] = earlier["rows"]
        else:
            environment.say(f"{path} is of another machine or number of threads, and is written anew")

    def start(self, name, **about):
        """An empty row."""
        entry = {
            **about,
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "commit": commit(),
            "rounds": [],
            "left_out": {},
        }
        self.content["rows"][name] = entry
        return entry

    def write(self):
        """Replaces the file at once."""
        beside = self.path.with_suffix(".json.new")
        beside.write_text(json.dumps(self.content, indent=1) + "\n")
        os.replace(beside, self.path)


def commit():
    def git(*arguments):
        found = subprocess.run(["git", *arguments], cwd=environment.ROOT, capture_output=True, text=True)
        return found.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "*.rs", "*.toml", "Cargo.lock")
    return git("rev-parse", "--short", "HEAD") + (" with changes" if changed else "")


def machine():
    info = read("/proc/cpuinfo")
    memory = re.search(r"MemTotal:\s+(\d+)", read("/proc/meminfo"))
    name = re.search(r"model name\s*: (.*)", info)
    flags = re.search(r"flags\s*: (.*)", info)
    wanted = ["avx2", "fma", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16"]
    compiler = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.strip()
    return {
        "processor": name.group(1) if name else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "simd": [flag for flag in wanted if flags and flag in flags.group(1).split()],
        "memory_gb": round(int(memory.group(1)) / 1e6) if memory else None,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "rustc": compiler,
    }


def read(path):
    try:
        return pathlib.Path(path).read_text()
    except OSError:
        return ""
