"""Installs the peers into a folder of their own and builds the program."""

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PINS = HERE / "requirements.txt"
RTEN = "0.27.0"


@dataclasses.dataclass(frozen=True)
class Peers:
    """Where everything is."""

    cache: pathlib.Path
    python: pathlib.Path
    rten: pathlib.Path
    xception: pathlib.Path


def default_cache():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "xception" / "peers"


def prepare(cache, lock):
    """Makes what isn't there yet."""
    python = peers_python(cache, lock)
    cache = cache.resolve()
    with locked(lock):
        rten_program = rten(cache)
    with locked(lock):
        return Peers(cache, python, rten_program, program())


def peers_python(cache, lock):
    """Makes the virtual environment if it isn't there yet."""
    cache.mkdir(parents=True, exist_ok=True)
    with locked(lock):
        return python_environment(cache.resolve())


@contextlib.contextmanager
def locked(path):
    """Holds the lock of a file that others on this machine may hold too."""
    if path is None:
        yield
        return
    with open(path, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def digest(*files):
    """A short name for the content of files."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(command, **options):
    """Runs a command whose output goes to standard error, or ends with a clear message."""
    code = subprocess.run(command, stdout=sys.stderr, **options).returncode
    if code:
        sys.exit(f"failed with {code}: {' '.join(map(str, command))}")


def python_environment(cache):
    """A virtual environment with the pinned packages; its name has the hash of the pins."""
    folder = cache / f"python-{digest(PINS)}"
    python = folder / "bin" / "python"
    done = folder / "installed"
    if not done.exists():
        say(f"installing PyTorch, ONNX Runtime and OpenVINO into {folder} (several GB)")
        shutil.rmtree(folder, ignore_errors=True)
        run([sys.executable, "-m", "venv", folder])
        run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", PINS])
        done.touch()
    return python


def rten(cache):
    """RTen's own program."""
    folder = cache / f"rten-{RTEN}"
    program = folder / "bin" / "rten"
    if not program.exists():
        say(f"building RTen into {folder}")
        run(["cargo", "install", "rten-cli", "--version", RTEN, "--locked", "--quiet",
             "--root", folder, "--target-dir", folder / "target"])
        shutil.rmtree(folder / "target", ignore_errors=True)
    return program


def program(features=()):
    """This project's program, built as it is in the checkout."""
    say("building xception")
    command = ["cargo", "build", "--release", "--workspace", "--message-format", "json-render-diagnostics"]
    if features:
        command += ["--features", ",".join(features)]
    built = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if built.returncode:
        sys.exit("xception can't be built")
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "xception":
            return pathlib.Path(message["executable"])
    sys.exit("cargo built no program called xception")
