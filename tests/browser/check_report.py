#!/usr/bin/env python3
"""Opens a report in a browser and does what a reader may do.

    tests/browser/check_report.py REPORT.html [FOLDER]

Pictures go to FOLDER, or a temporary one. Fails where the page's script throws, the console has an error, or anything does not do
what it should.
"""

import sys
import tempfile
from pathlib import Path

from chromium import Chromium

# What is on the screen: elements by a selector that have a size and are not hidden.
SEEN = """(selector) => [...document.querySelectorAll(selector)].filter((element) =>
    element.getClientRects().length && getComputedStyle(element).visibility !== 'hidden').length"""


class Check:
    """A report in a browser."""

    def __init__(self, browser, report, folder):
        self.browser, self.report, self.folder = browser, report, folder
        self.done = 0

    def seen(self, selector):
        return self.browser.evaluate(f"({SEEN})({selector!r})")

    def expect(self, found, expected, what):
        if found != expected:
            raise AssertionError(f"{what}: {found!r}, not {expected!r}")
        if self.browser.errors:
            raise AssertionError(f"{what}: the page has an error: {self.browser.errors[0]}")
        self.done += 1

    def open(self, **look):
        self.browser.look(**look)
        self.browser.open(self.report)
        self.expect(self.browser.errors, [], "opening the page")

    def picture(self, name, whole=True):
        self.browser.screenshot(self.folder / f"{name}.png", whole)

    def click(self, selector):
        """Clicks where an element is, as a user does."""
        box = self.box(selector)
        x, y = box["left"] + box["width"] / 2, box["top"] + box["height"] / 2
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.browser.mouse(kind, x, y)

    def box(self, selector):
        script = f"""(() => {{
            const element = document.querySelector({selector!r});
            element.scrollIntoView({{block: 'center'}});
            const box = element.getBoundingClientRect();
            return {{left: box.left, top: box.top, width: box.width, height: box.height}};
        }})()"""
        return self.browser.evaluate(script)

    def text(self, selector):
        return self.browser.evaluate(f"document.querySelector({selector!r})?.innerText")

    def attribute(self, selector, name):
        return self.browser.evaluate(f"document.querySelector({selector!r}).getAttribute({name!r})")

    def without_script(self):
        """Everything is there to read, and no control that would do nothing."""
        self.open(scripts=False)
        self.rows = self.seen("tr[data-variants]")
        self.variants = self.seen(".legend .name")
        self.charts = self.seen(".chart svg")
        assert self.variants > 1 and self.charts >= 7, (self.variants, self.charts)
        for control in ("#controls", ".switch", ".tools", "#tip"):
            self.expect(self.seen(control), 0, f"{control} without the script")
        self.picture("without-script")

    def toggles(self):
        """A button hides and shows a variant in charts and tables, by mouse and by key."""
        self.open()
        button = '[data-toggle="1"]'
        of_it = '[data-variants~="1"]'
        lines = self.seen("[data-chart=test-top1] g.line")
        self.expect(lines, self.variants, "lines of a chart")
        self.expect(self.seen("tr[data-variants]"), self.rows, "rows with the script")
        before = {part: self.seen(f"{part}{of_it}") for part in ("tr", "g.line", "g.point", "li")}
        assert all(before.values()), before
        self.picture("light")
        self.click(button)
        self.expect(self.attribute(button, "aria-pressed"), "false", "the button of a hidden variant")
        self.expect(self.text("#shown"), f"{self.variants - 1} of {self.variants} shown", "what is said of it")
        for part in before:
            self.expect(self.seen(f"{part}{of_it}"), 0, f"{part} of a hidden variant")
            assert self.seen(f'{part}[data-variants="0"]') > 0, part
        self.picture("toggled")
        self.browser.evaluate(f"document.querySelector({button!r}).focus()")
        self.browser.press(" ")
        self.expect(self.attribute(button, "aria-pressed"), "true", "the button of a variant that is shown again")
        after = {part: self.seen(f"{part}{of_it}") for part in before}
        self.expect(after, before, "what is shown again")
        self.click('[data-toggle="none"]')
        self.expect(self.seen("g.line"), 0, "lines where all are hidden")
        self.click('[data-toggle="all"]')
        self.expect(self.seen("tr[data-variants]"), self.rows, "rows where all are shown")

    def costs(self):
        """A button chooses the cost that accuracy is shown against."""
        costs = self.seen(".switch button")
        if costs:
            self.expect(self.seen(".fronts figure"), 1, "charts of cost at first")
            self.click(".switch button:nth-child(2)")
            self.expect(self.seen(".fronts figure"), 1, "charts of the second cost")
            self.expect(self.seen(".fronts figure:nth-child(2)"), 1, "the chart of the second cost")
            self.click(".switch button:last-child")
            self.expect(self.seen(".fronts figure"), costs - 1, "charts of all costs")

    def zoom(self, chart):
        """Buttons and a drag show a part of a chart, and the whole of it again."""
        figure = f"[data-chart={chart}]"
        left, top, right, bottom = map(float, self.attribute(f"{figure} svg", "data-plot").split())
        *_, width, height = map(float, self.attribute(f"{figure} svg", "viewBox").split())
        marks, labels = self.marks(figure), self.labels(figure)

        def shows(part, how):
            """The part of the chart, in its units, fills all of it now, and its axes say so."""
            part_left, part_top, part_right, part_bottom = part
            for (x, y), found in zip(marks, self.marks(figure), strict=True):
                expected = (
                    left + (x - part_left) / (part_right - part_left) * (right - left),
                    top + (y - part_top) / (part_bottom - part_top) * (bottom - top),
                )
                # A pixel of the window at most, that the pointer may be off by, as large as it has become.
                off = max(abs(a - b) for a, b in zip(found, expected))
                near = off < 2 * width / box["width"] * (right - left) / (part_right - part_left)
                self.expect(near, True, f"{chart} after {how}: the mark of {x}, {y} is at {found}, for {expected}")
            assert self.labels(figure) != labels, f"the axes of {chart} stay as they were after {how}"

        box = self.box(f"{figure} svg")
        quarter = (right - left) / 4, (bottom - top) / 4
        self.click(f'{figure} [data-zoom="in"]')
        shows((left + quarter[0], top + quarter[1], right - quarter[0], bottom - quarter[1]), "a click on +")
        self.click(f'{figure} [data-zoom="reset"]')
        self.expect((self.marks(figure), self.labels(figure)), (marks, labels), f"{chart} as a whole again")
        box = self.box(f"{figure} svg")
        place = lambda x, y: (box["left"] + x * box["width"], box["top"] + y * box["height"])
        self.browser.mouse("mousePressed", *place(0.35, 0.35))
        self.browser.mouse("mouseMoved", *place(0.6, 0.6), buttons=1)
        self.expect(self.seen(f"{figure} .brush"), 1, "the dragged rectangle")
        self.browser.mouse("mouseReleased", *place(0.6, 0.6))
        self.expect(self.seen(f"{figure} .brush"), 0, "the dragged rectangle afterwards")
        shows((0.35 * width, 0.35 * height, 0.6 * width, 0.6 * height), "a drag")
        self.picture(f"zoomed-{chart}", whole=False)
        self.click(f'{figure} [data-zoom="reset"]')
        self.expect(self.labels(figure), labels, f"{chart} after a reset")

    def marks(self, figure):
        """Where a chart's points are, in its units."""
        return self.browser.evaluate(f"""[...document.querySelectorAll('{figure} :is(.line, .point) circle')]
            .map((circle) => ['cx', 'cy'].map((name) => Number(circle.getAttribute(name))))""")

    def labels(self, figure):
        """What a chart's axes say, and where."""
        return self.browser.evaluate(f"""[...document.querySelectorAll('{figure} .axes text')]
            .filter((text) => text.getClientRects().length)
            .map((text) => [text.textContent.trim(), ...['x', 'y'].map((name) => text.getAttribute(name))])""")

    def values(self, chart, part):
        """A point's value is read by pointing, and by keys alone."""
        figure = f"[data-chart={chart}]"
        box = self.box(f"{figure} g.{part}[data-variants='0'] circle")
        name = self.browser.evaluate("JSON.parse(document.getElementById('points').textContent).variants[0]")
        self.browser.mouse("mouseMoved", box["left"] + box["width"] / 2, box["top"] + box["height"] / 2)
        self.expect(self.seen("#tip"), 1, f"the tip of {chart}")
        text = self.text("#tip")
        assert name in text and "%" in text, text
        self.picture(f"tip-{chart}", whole=False)
        self.browser.mouse("mouseMoved", 1, 1)
        self.expect(self.seen("#tip"), 0, "the tip where nothing is pointed at")
        self.browser.evaluate(f"document.querySelector('{figure} svg').focus()")
        self.browser.press("ArrowRight")
        first = self.text("#tip")
        self.browser.press("ArrowDown")
        other = self.text("#tip")
        assert first and other and first != other, (first, other)
        self.browser.press("Escape")
        self.expect(self.seen("#tip"), 0, "the tip after Escape")

    def surroundings(self):
        """The page fits a narrow window, and is dark where that is preferred."""
        colour = "getComputedStyle(document.body).backgroundColor"
        light = self.browser.evaluate(colour)
        self.open(scheme="dark")
        assert self.browser.evaluate(colour) != light, "the page is not dark"
        self.picture("dark")
        for scheme in ("light", "dark"):
            self.open(scheme=scheme, width=400, height=800)
            wide = self.browser.evaluate("document.documentElement.scrollWidth")
            assert wide <= 400, f"the page is {wide} pixels wide in a window of 400"
            self.picture(f"narrow-{scheme}")

    def paper(self):
        """Paper has all variants and no controls, whatever is hidden on the screen."""
        self.open()
        self.click('[data-toggle="none"]')
        self.browser.print(self.folder / "print.pdf")
        self.expect(self.seen("g.line"), 0, "the screen after printing")
        self.browser.call("Emulation.setEmulatedMedia", media="print")
        self.expect(self.seen("tr[data-variants]"), self.rows, "rows on paper")
        self.expect(self.seen("#controls"), 0, "controls on paper")
        self.browser.call("Emulation.setEmulatedMedia", media="")


def main():
    report = Path(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="report-") as temporary, Chromium() as browser:
        folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        check = Check(browser, report, folder)
        check.without_script()
        check.toggles()
        check.costs()
        for chart, part in (("test-top1", "line"), ("pareto-parameters", "point")):
            check.zoom(chart)
            check.values(chart, part)
        check.surroundings()
        check.paper()
        print(f"{report}: {check.done} checks, {len(list(folder.iterdir()))} pictures in {folder}")


if __name__ == "__main__":
    main()
