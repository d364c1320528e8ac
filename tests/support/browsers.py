"""The Chromium of the tests."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, sync_playwright

LAUNCH: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def launch_browser(*arguments: str) -> Iterator[Browser]:
    """Start the Chromium that `scripts/browser` finds, and close it at the end."""
    path = subprocess.check_output(["scripts/browser"], text=True).strip()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*LAUNCH, *arguments])
        yield browser
        browser.close()
