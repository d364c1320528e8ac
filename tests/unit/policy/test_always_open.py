"""No guardian closes the app altogether, and what always stays open is said where it closes."""

import os
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from kinward.policy.ages import AgeRange
from kinward.policy.bounds import bounds_in_general
from kinward.policy.check import check_pack
from kinward.policy.decision import protective
from kinward.policy.engine import decide
from kinward.policy.opening import ALWAYS_OPEN, CLOSES_THE_APP
from kinward.policy.pack import Pack
from kinward.policy.question import Person
from kinward.policy.signed import load_pack
from kinward.policy.sources import read_files, shipped_packs
from tests.unit.policy.cases import PLACES, packs

CLOSED: dict[str, Any] = {"session.hours": "never", "session.time": 0}


def teens(pack: Pack) -> list[Person]:
    spans = [(13, 14), (14, 15), (15, 16), (16, 17), (17, 18), (13, 16), (15, 18), (17, 19)]
    places = sorted({*PLACES, *pack.places})
    return [
        Person(AgeRange(*span, "test", "verified"), place) for span in spans for place in places
    ]


@pytest.mark.parametrize("capability", CLOSED)
def test_no_guardian_closes_the_app_in_any_pack_or_place(capability: str) -> None:
    seen = 0
    for pack in packs():
        for teen in teens(pack):
            bounds = bounds_in_general(pack.ruling, capability, teen)
            if bounds is None or not bounds.guardian_moves or not bounds.default:
                continue  # closed for everybody, or no guardian moves it
            value = decide(pack, capability, teen, guardian=CLOSED[capability])
            least = 4 if capability == "session.hours" else 15
            count = value.code.bit_count() if capability == "session.hours" else value.code
            assert count >= least, (pack.label, teen.jurisdiction, teen.age)
            seen += 1
    assert seen > 200


def test_a_pack_that_lets_a_guardian_close_the_app_is_named() -> None:

    def named(files: dict[str, str]) -> list[str]:
        problems = check_pack(files, today=date(2026, 11, 26))
        return [problem.level for problem in problems if "lets a guardian close" in problem.text]

    files = dict(read_files("teen-accounts"))
    assert named(files) == []
    floor = 'bounds = ["16:00-18:00", "always"]'
    files["pack.toml"] = files["pack.toml"].replace(floor, 'bounds = ["never", "always"]')
    assert named(files) == ["notice", "notice"]


def test_a_decision_that_can_close_the_app_says_what_stays_open() -> None:
    night, teen = datetime(2026, 11, 27, 23), Person(AgeRange(14, 15, "test", "verified"))
    for name in shipped_packs():
        pack = load_pack(name)
        for capability in pack.capabilities:
            decision = decide(pack, capability, teen, at=night).as_dict()
            said = decision.get("always_open")
            assert said == (ALWAYS_OPEN if capability in CLOSES_THE_APP else None), capability
    closed = protective("session.time", "none", "state.unavailable")
    assert closed.as_dict()["always_open"] == ALWAYS_OPEN, "also when nothing can be known"


def test_the_reference_explains_each_word() -> None:
    page = Path("docs/reference/decisions.md").read_text()
    section = page.split("## Always open")[1].split("## ")[0]
    assert [word for word in ALWAYS_OPEN if f"`{word}`" not in section] == []


RENDER = """
import django; django.setup()
from types import SimpleNamespace as Row
from django.template.loader import render_to_string
me, they = Row(pk=1, handle="wren"), Row(pk=2, handle="heron")
post = Row(id="6b0e4f1e-0f5c-4a55-9a0e-1d2c3b4a5968", member=they, member_id=2, caption="")
time = {"left": 0, "sentence": "Your time is used up."}
print(render_to_string("feed.html", {
    "posts": [post], "time": time, "open": False, "may_ask": True, "member": me}))
"""


def test_the_demo_closed_by_a_limit_still_reports_helps_and_hears_appeals() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "kinward.demo.settings"}
    page = subprocess.run(
        [sys.executable, "-c", RENDER], env=environment, capture_output=True, text=True, check=True
    ).stdout
    for link in ("?content_id=6b0e4f1e", "?page=safe", "?page=decisions", "?page=ask"):
        assert f"/family{link}" in page, link
    assert "<img" not in page, "the feed itself is closed"
