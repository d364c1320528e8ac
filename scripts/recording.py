"""A pytest plugin that writes which functions of Kinward each test calls, and how long it takes.

`pytest -p scripts.recording` with RECORDED_FILE as the file to write and RECORDED_PACKAGE as
the folder of the package.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Generator
from types import FrameType
from typing import Any

import pytest

ROOT = os.environ["RECORDED_PACKAGE"].rstrip("/") + "/"
recorded: dict[str, dict[str, Any]] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    called: set[tuple[str, str]] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(ROOT):
            called.add((frame.f_code.co_filename, frame.f_code.co_qualname))

    threading.setprofile(note)
    sys.setprofile(note)
    began = time.monotonic()
    try:
        return (yield)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
        recorded[item.nodeid] = {
            "seconds": round(time.monotonic() - began, 3),
            "called": sorted({_name(path, function) for path, function in called}),
        }


def pytest_sessionfinish() -> None:
    with open(os.environ["RECORDED_FILE"], "w") as file:
        json.dump(recorded, file)


def _name(path: str, function: str) -> str:
    return f"{path.removeprefix(ROOT)}:{function.partition('.<locals>')[0]}"
