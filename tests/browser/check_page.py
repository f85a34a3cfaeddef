#!/usr/bin/env python3
"""Opens the page of examples/web in a browser and does what a visitor may do.

    tests/browser/check_page.py PAGE PHOTO PREDICTION WEIGHTS [PICTURES]

PAGE is the folder that examples/web/build made, PREDICTION what `xception predict PHOTO --weights PAGE/tiny.bpk --top 5 --json`
printed, WEIGHTS the same network in another format, PICTURES where pictures of the page go. Fails where logits differ from the
program's, on the processor or by WebGPU, where the console has an error, or anything does not do what it should.
"""

import json
import sys
import tempfile
from pathlib import Path

from chromium import Chromium
from server import serve

# A camera that shows a test picture, and WebGPU on the processor.
ARGUMENTS = [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
]
# The largest difference of a logit from the program's.
TOLERANCE = 1e-4


class Check:
    """The page in a browser."""

    def __init__(self, browser, pictures, guesses):
        self.browser, self.pictures, self.guesses = browser, pictures, guesses
        self.articles, self.done = 0, 0

    def expect(self, condition, what):
        if not condition:
            raise AssertionError(what)
        if self.browser.errors:
            raise AssertionError(f"{what}: the console has an error: {self.browser.errors[0]}")
        self.done += 1

    def picture(self, name):
        self.browser.screenshot(self.pictures / f"{name}.png")

    def ready(self, seconds=120):
        self.browser.wait_for("['ready', 'failed'].includes(document.body.dataset.state)", seconds)
        error = self.browser.evaluate("document.querySelector('#error').hidden ? '' : document.querySelector('#error').textContent")
        self.expect(error == "", f"the network is not ready: {error}")

    def add(self, photo, seconds=120):
        """Gives the page a photo and waits for what it says of it."""
        self.articles += 1
        self.browser.choose_files("#photos", [photo])
        self.wait_for_article(seconds)

    def wait_for_article(self, seconds=120):
        self.browser.wait_for(
            f"document.querySelectorAll('article').length === {self.articles} || !document.querySelector('#error').hidden", seconds
        )

    def logits(self, where):
        """Compares the logits of the last photo with the program's."""
        found = self.browser.evaluate(
            "[...document.querySelectorAll('article:first-child li button')]"
            ".map(({dataset, textContent}) => [Number(dataset.class), Number(dataset.logit), textContent])"
        )
        self.expect(len(found) == len(self.guesses), f"{where}: {len(found)} classes")
        worst = 0
        for (number, logit, text), guess in zip(found, self.guesses):
            self.expect(number == guess["index"] and guess["name"] in text, f"{where}: {text} instead of {guess}")
            worst = max(worst, abs(logit - guess["logit"]))
        milliseconds = self.browser.evaluate("document.querySelector('article').dataset.milliseconds")
        print(f"{where}: logits differ by {worst:.1e} from the program's; {milliseconds} ms")
        self.expect(worst <= TOLERANCE, f"{where}: a logit differs by {worst}")

    def explain(self, seconds=120):
        """Asks what speaks for the likeliest class, by the keyboard."""
        self.browser.evaluate("document.querySelector('article:first-child li button').focus()")
        self.browser.press("Enter")
        image = "document.querySelector('article:first-child img')"
        self.browser.wait_for(f"{image}.alt.includes('what speaks for') && {image}.complete && {image}.naturalWidth > 0", seconds)
        self.expect(True, "a heat map")

    def choose(self, select, value):
        """Chooses an option, upon which a network is loaded."""
        self.browser.evaluate(
            f"(() => {{ const select = document.querySelector('#{select}'); select.value = '{value}';"
            " select.dispatchEvent(new Event('change')); })()"
        )
        self.browser.wait_for("document.body.dataset.state === 'loading'")

    def remove(self):
        """Removes the last photo."""
        self.articles -= 1
        self.browser.evaluate("document.querySelector('article .remove').click()")
        found = self.browser.evaluate("document.querySelectorAll('article').length")
        self.expect(found == self.articles, f"{found} photos instead of {self.articles}")

    def failure(self, act, words, name):
        """Does what has to end with a sentence that has some words."""
        act()
        self.browser.wait_for("!document.querySelector('#error').hidden")
        text = self.browser.evaluate("document.querySelector('#error').textContent")
        self.expect(all(word in text for word in words), f"an error that says {words}: {text}")
        self.picture(name)


def main():
    page, photo, prediction, weights, *rest = map(Path, sys.argv[1:])
    pictures = rest[0] if rest else Path(tempfile.mkdtemp())
    pictures.mkdir(parents=True, exist_ok=True)
    guesses = json.loads(prediction.read_text().splitlines()[0])["top"]
    with Chromium(seconds=900, arguments=ARGUMENTS) as browser, tempfile.TemporaryDirectory() as scratch:
        browser.call("DOM.enable")
        check = Check(browser, pictures, guesses)
        browser.look()
        browser.open(serve(page))
        check.ready()
        check.picture("before")

        check.add(photo)
        check.logits("WebAssembly")
        check.explain()
        check.picture("explained")
        browser.press("Enter")  # and the photo again
        browser.wait_for("!document.querySelector('article img').alt.includes('what speaks for')")

        text = Path(scratch) / "notes.jpg"
        text.write_text("This is no picture.")
        check.failure(lambda: browser.choose_files("#photos", [text]), ["notes.jpg"], "no-picture")
        check.add(photo)
        check.expect(browser.evaluate("document.querySelector('#error').hidden"), "the error goes with the next photo")

        browser.look(scheme="dark")
        check.picture("dark")
        browser.look(width=380, height=800)
        wide = browser.evaluate("document.documentElement.scrollWidth")
        check.expect(wide <= 380, f"a narrow page is {wide} pixels wide")
        check.picture("narrow")
        browser.look()

        browser.evaluate("document.querySelector('#camera').click()")
        browser.wait_for("!document.querySelector('#viewfinder').hidden && document.querySelector('video').videoWidth > 0")
        check.articles += 1
        browser.evaluate("document.querySelector('#shoot').click()")
        check.wait_for_article()
        check.expect(browser.evaluate("document.querySelector('article img').alt") == "Photo 1", "a photo of the camera")
        browser.evaluate("document.querySelector('#camera-off').click()")

        # A file of one's own, and one that is none.
        browser.choose_files("#weights-file", [weights])
        browser.wait_for("document.body.dataset.state === 'loading'")
        enabled = browser.evaluate("document.querySelectorAll('article li button:enabled').length")
        check.expect(enabled == 0, f"{enabled} classes that the network before found can be explained by the next")
        check.ready()
        check.add(photo)
        check.logits(f"WebAssembly, {weights.name}")
        check.remove()
        damaged = Path(scratch) / "damaged.safetensors"
        damaged.write_bytes(weights.read_bytes()[:1000])
        check.failure(lambda: browser.choose_files("#weights-file", [damaged]), ["damaged.safetensors"], "damaged-weights")

        check.choose("weights", "tiny")
        check.ready()
        check.choose("backend", "webgpu")
        check.ready(300)
        check.add(photo, 300)
        check.logits("WebGPU")
        check.explain(300)
        check.picture("webgpu")
    print(f"{check.done} checks passed; pictures in {pictures}")


if __name__ == "__main__":
    main()
