"""Chromium without a window, driven over its debugging pipe by the Chrome DevTools Protocol. Python's standard library alone."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


class BrowserEnded(RuntimeError):
    """The browser ended by itself."""


class Chromium:
    """A browser with one page. Collects what the page says on its console, and what its scripts throw."""

    def __init__(self, seconds=180, arguments=("--disable-gpu",)):
        program = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
        if program is None:
            raise SystemExit("there is no Chromium here: tools/install_chromium.sh installs it")
        self.deadline = time.monotonic() + seconds
        for attempt in range(3):
            self.start(program, arguments)
            try:
                self.session = None
                target = self.call("Target.createTarget", url="about:blank")["targetId"]
                break
            except (BrowserEnded, BrokenPipeError):
                # Right after large builds, when the disk has to give its files again, Chromium at times gives itself up.
                self.process.wait()
                self.log.seek(0)
                words = self.log.read().decode(errors="replace").strip().splitlines()
                print("Chromium ended as it began:", *words[-5:], sep="\n  ", file=sys.stderr)
                self.close()
                if attempt == 2:
                    raise
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        # What workers say counts too.
        self.call("Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=False, flatten=True)

    def start(self, program, more):
        """Starts the browser, with a profile of its own and more arguments."""
        self.profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        self.log = tempfile.TemporaryFile()
        arguments = [program, "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={self.profile.name}"]
        arguments += ["--no-first-run", "--disable-dev-shm-usage", "--hide-scrollbars", "--disable-extensions", *more]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")
        # The browser reads commands from descriptor 3 and writes answers to 4. The ends are moved out of the way of these.
        their_in, self.write_end = os.pipe()
        self.read_end, their_out = os.pipe()
        high_in, high_out = (fcntl.fcntl(end, fcntl.F_DUPFD, 64) for end in (their_in, their_out))
        os.close(their_in), os.close(their_out)

        def connect():
            os.dup2(high_in, 3)
            os.dup2(high_out, 4)

        self.process = subprocess.Popen(
            arguments, pass_fds=(3, 4), preexec_fn=connect, stdout=subprocess.DEVNULL, stderr=self.log
        )
        os.close(high_in), os.close(high_out)
        self.buffer, self.number, self.events, self.errors = b"", 0, [], []

    def close(self):
        """Frees what belongs to a browser that has ended."""
        os.close(self.write_end), os.close(self.read_end)
        self.log.close()
        self.profile.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.close()

    def call(self, method, **parameters):
        """Sends a command and returns its result."""
        self.number += 1
        number = self.number
        message = {"id": number, "method": method, "params": parameters}
        if getattr(self, "session", None):
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def receive(self):
        """Returns the next message, and notes it where it tells of an error or an event."""
        while b"\0" not in self.buffer:
            left = self.deadline - time.monotonic()
            if left <= 0 or not select.select([self.read_end], [], [], left)[0]:
                raise TimeoutError("the browser does not answer")
            part = os.read(self.read_end, 1 << 20)
            if not part:
                raise BrowserEnded("the browser has ended")
            self.buffer += part
        text, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(text)
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
            self.errors.append(" ".join(str(argument.get("value")) for argument in parameters["args"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.errors.append(parameters["entry"]["text"])
        elif method == "Target.attachedToTarget" and parameters["targetInfo"]["type"] == "worker":
            for domain in ("Runtime", "Log"):
                self.number += 1
                enable = {"id": self.number, "method": f"{domain}.enable", "sessionId": parameters["sessionId"]}
                os.write(self.write_end, json.dumps(enable).encode() + b"\0")
        if method:
            self.events.append(method)
        return message

    def open(self, place):
        """Opens a file, or a page by its address, and waits until it is loaded."""
        self.events.clear()
        url = str(place)
        self.call("Page.navigate", url=url if url.startswith("http") else Path(place).resolve().as_uri())
        while "Page.loadEventFired" not in self.events:
            self.receive()

    def evaluate(self, expression):
        """Returns the value of a JavaScript expression in the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait_for(self, expression, seconds=60):
        """Waits until a JavaScript expression is true in the page."""
        end = time.monotonic() + seconds
        while not self.evaluate(expression):
            if time.monotonic() > end:
                raise TimeoutError(f"{expression} has not come true in {seconds} s")
            time.sleep(0.1)

    def choose_files(self, selector, files):
        """Gives files to a file input."""
        document = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=document, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(Path(file).resolve()) for file in files])

    def look(self, scheme="light", width=1200, height=900, scripts=True):
        """Sets the size of the window, the colour scheme that the user prefers, and whether scripts run."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)

    def screenshot(self, file, whole=True):
        """Writes a picture of the page: all of it, or what the window shows."""
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        Path(file).write_bytes(base64.b64decode(picture["data"]))

    def print(self, file):
        """Writes the page as a PDF file."""
        page = self.call("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
        Path(file).write_bytes(base64.b64decode(page["data"]))

    def mouse(self, kind, x, y, **parameters):
        """Moves the mouse, or presses or releases its left button."""
        button = {"button": "left", "clickCount": 1} if kind != "mouseMoved" else {}
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **button, **parameters)

    def press(self, key):
        """Presses and releases a key that has a name, such as Tab or ArrowRight, or writes a character."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        code = codes.get(key, ord(key[0]))
        for kind in ("keyDown", "keyUp"):
            written = {"text": text} if text and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **written)
