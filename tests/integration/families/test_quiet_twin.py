"""A quiet dispute is no difference: a guardian and a twin's guardian live through the same days.

Two families do the same, step by step at the same moments of a clock that stands still between
them. In one the teen disputes the guardian quietly, or reports that home is not safe. Whatever the
guardian is shown, answered or told has to be the same text, once the ids are taken out of it.
"""

from typing import Final

import pytest
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.purposes import SCOPES
from kinward.access.services import create_key
from kinward.experience.live import load_states
from kinward.families.settings.keywords import keywords_of
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller
from tests.support.helpers import run_jobs
from tests.support.twins import (
    Clock,
    Family,
    Step,
    a_pass_code_is_read_out,
    a_week_is_over,
    asked_and,
    by_api,
    consent_is_withdrawn_and_back,
    ends_it,
    her_word,
    pairs_again,
    proposes_and_she_agrees,
    sends,
    sets,
    stops_the_latest,
    the_proof_comes,
    the_proof_goes,
    uses_the_app,
    word,
)

pytestmark = pytest.mark.django_db(transaction=True)

DISPUTE: Final = {"way": "quiet", "reach": "Mondays at the library"}


BEFORE: Final[list[Step]] = [
    sets("session.time", **{f"day{day}": "45" for day in range(7)}),
    sets("profile.private", value="public"),
    sets("purchase.make", value="allow"),
    word("one"),
    word("two"),
    her_word,
]
DURING: Final[list[Step]] = [
    uses_the_app,
    sets("session.time", **{f"day{day}": "15" for day in range(7)}),
    sets("session.hours", opens="15:00", closes="18:30"),
    sets("comment.receive", value="everyone"),
    sets("comment.receive", value="nothing-like-it"),
    sets("location.share", value="family"),
    sets("purchase.make", back="1"),
    sets("profile.private", value="private"),
    by_api("session.hours", "never"),
    by_api("dm.receive", "mutuals"),
    by_api("session.time", "a word"),
    by_api("dm.receive", None),
    word("three"),
    word("one"),
    word("hers"),
    her_word,
    word("three"),
    word("four"),
    asked_and("yes", minutes="30", reason="please"),
    asked_and("no", minutes="15", reason="please"),
    asked_and("talk", minutes="15", reason="please"),
    asked_and("yes", capability="content.mature", value="mild", reason="please"),
    asked_and("yes", length="week", capability="session.time", value="90", reason="please"),
    stops_the_latest,
    proposes_and_she_agrees,
    a_pass_code_is_read_out,
    sends("digest", way="off"),
    sends("digest", way="app"),
    a_week_is_over,
    consent_is_withdrawn_and_back,
    the_proof_goes,
    sets("purchase.make", value="allow"),
    the_proof_comes,
    ends_it,
    pairs_again,
    sets("session.hours", opens="15:00", closes="18:30"),
    by_api("purchase.make", "allow"),
    asked_and("yes", minutes="30", reason="please"),
]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    return clock


def disputes_quietly(family: Family) -> None:
    sent = family.hers.post(f"/family/pairings/{family.pairing.pk}/dispute", DISPUTE)
    assert sent.status_code == 302
    family.hers.get("/family/safe")  # which says thank you, once


def reports_home(family: Family) -> None:
    about = {
        "account_id": family.guardian.platform_id,
        "reporter_id": family.teen.platform_id,
        "category": "home",
    }
    assert family.call("POST", "/v1/reports", json=about).status_code == 201


@pytest.mark.parametrize(
    ("says_so", "during"), [(disputes_quietly, DURING), (reports_home, DURING[1::4])]
)
def test_what_a_guardian_meets_is_what_a_twin_s_guardian_meets(
    clock: Clock, configure: Configure, receiver: object, says_so: Step, during: list[Step]
) -> None:
    configure(policy_key="00" * 32)
    call = Caller(create_key(name="app", scopes=SCOPES, actor=Actor.system("test")))
    quiet, twin = Family("a", call), Family("b", call)
    often = (says_so, ends_it, pairs_again, during[-1])
    for number, step in enumerate((*BEFORE, says_so, *during)):
        clock.tick()
        for family in (quiet, twin):
            if step is not says_so:
                step(family)
            elif family is quiet:
                step(family)
                assert family.live is not None
                assert family.live.quiet
            if number % 3 == 0 or step in often:  # a form is answered by a page as well
                family.looks()
            if step in (says_so, ends_it, during[-1]):
                family.looks_everywhere()
        assert len(quiet.met) == len(twin.met)
        for ours, theirs in zip(quiet.met, twin.met, strict=True):
            assert ours == theirs, f"step {number}"
        quiet.met.clear()
        twin.met.clear()
    run_jobs()
    assert quiet.told() == twin.told()
    if during is DURING:
        _was_held(quiet, twin)


def _was_held(quiet: Family, twin: Family) -> None:
    """The looks are all there was: what the guardian did took no effect on the disputing teen."""
    ids = [quiet.teen.platform_id, twin.teen.platform_id]
    states = load_states(ids)
    ours, theirs = (states[platform_id].guardian for platform_id in ids)
    assert "session.hours" in theirs
    assert "session.hours" not in ours
    assert "purchase.make" not in ours
    words = [[keyword.word for keyword in keywords_of(family.teen)] for family in (quiet, twin)]
    assert words == [["hers"], ["hers"]]
    assert quiet.live is not None
    assert quiet.live.quiet
    assert quiet.live.disputed_at is not None
