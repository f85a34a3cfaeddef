#!/usr/bin/env python3
"""Checks that check_report.py sees what is wrong with a report.

    tests/browser/check_failure.py REPORT.html

Breaks copies of the report: its script throws as it starts, throws at a click, does nothing at a click, or is another than the page's
policy allows.
"""

import base64
import hashlib
import re
import sys
import tempfile
from pathlib import Path

from check_report import Check
from chromium import Chromium


def changed(page, old, new, allowed=True):
    """Returns the page with a piece of its script replaced, and the policy made to allow it."""
    if page.count(old) != 1:
        raise SystemExit(f"the page's script has `{old}` {page.count(old)} times, not once")
    page = page.replace(old, new)
    if allowed:
        script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        page = re.sub(r"'sha256-[^']*'", f"'sha256-{digest}'", page, count=1)
    return page


def main():
    page = Path(sys.argv[1]).read_text(encoding="utf-8")
    thrown = 'throw new Error("on purpose");'
    click = 'controls.addEventListener("click", (event) => {'
    copies = {
        "a script that throws as it starts": (changed(page, '"use strict";', f'"use strict"; {thrown}'), Check.open),
        "a script that throws at a click": (changed(page, click, click + thrown), Check.toggles),
        "a button that does nothing": (changed(page, click, click + "return;"), Check.toggles),
        "a script that the policy forbids": (changed(page, '"use strict";', '"use  strict";', allowed=False), Check.open),
    }
    with tempfile.TemporaryDirectory(prefix="report-") as temporary:
        folder = Path(temporary)
        for what, (text, step) in copies.items():
            copy = folder / "broken.html"
            copy.write_text(text, encoding="utf-8")
            with Chromium() as browser:
                check = Check(browser, copy, folder)
                try:
                    if step is not Check.open:
                        check.without_script()
                    step(check)
                except AssertionError as error:
                    print(f"{what} is seen: {str(error).splitlines()[0]}")
                else:
                    raise SystemExit(f"{what} is not seen")


if __name__ == "__main__":
    main()
