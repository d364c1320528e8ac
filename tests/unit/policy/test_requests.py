"""Questions as JSON: whatever is sent, an answer comes, and what is wrong never opens anything."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinward.gate.decide import read_many, read_one
from kinward.ground.errors import Invalid
from kinward.ground.multipart import Malformed
from kinward.policy.ages import AgeRange
from kinward.policy.capabilities import CAPABILITIES, RELATIONSHIPS
from kinward.policy.engine import decide
from kinward.policy.question import Person
from kinward.policy.request import About, Request, State, answer_request, ids_of, language_of
from kinward.policy.signed import load_pack

PACKS = [load_pack("tiktok-2021"), load_pack("teen-accounts")]
STATES = {"teen": State(Person(AgeRange(14, 15)), "de", {"session.time": 30}, {"dm.send": 7})}
TEEN = Person(AgeRange(14, 15))

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)
ages = st.lists(st.integers(-5, 160) | anything, max_size=3) | anything
abouts = (
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.sampled_from(["teen", "nobody", ""]) | anything,
            "age": ages,
            "jurisdiction": st.sampled_from(["DE", "US-CA", "Narnia"]) | anything,
            "assurance": st.sampled_from(["verified", "sworn"]) | anything,
        },
    )
    | anything
)
questions = st.fixed_dictionaries(
    {"capability": st.sampled_from([*CAPABILITIES, "none.such"]) | anything, "actor": abouts},
    optional={
        "target": abouts,
        "relationship": st.sampled_from(RELATIONSHIPS) | anything,
        "at": st.sampled_from(["2026-11-21T21:30:00", "0001-01-01T00:00:00Z", "soon"]) | anything,
        "guardian": st.sampled_from(["followers", 30, "deny"]) | anything,
        "self": st.sampled_from(["everyone", 1440, "always"]) | anything,
        "language": st.sampled_from(["sv", "tlh"]) | anything,
    },
)


@settings(max_examples=1500, deadline=None)
@given(questions | anything, st.sampled_from(PACKS))
def test_anything_gets_an_answer(sent: Any, pack: Any) -> None:
    read = read_one(json.dumps(sent).encode())
    if not isinstance(read, Request):
        return  # answered with the protective decision, by the gate
    decision = answer_request(pack, read, STATES)
    json.loads(bytes(decision.json(language_of(read, STATES))))
    codes = [reason.code for reason in decision.reasons]
    if "state.unavailable" in codes or "pack.invalid" in codes:
        assert decision.effect == "deny"
    if read.actor.id is None and read.actor.age is None:
        # Nobody is known: nothing that an age could close is open.
        assert decision.effect != "allow"
    if ids_of([read]) - set(STATES) or read.capability not in CAPABILITIES:
        assert decision.effect == "deny"


@settings(max_examples=300, deadline=None)
@given(st.lists(questions | anything, max_size=4) | anything)
def test_a_batch_is_read_each_for_itself(sent: Any) -> None:
    body = json.dumps({"questions": sent}).encode()
    if not isinstance(sent, list):
        with pytest.raises(Invalid):
            read_many(body)
        return
    read = read_many(body)
    singly = [read_one(json.dumps(each).encode()) for each in sent]
    assert [type(each) for each in read] == [type(each) for each in singly]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_are_refused_or_answered(body: bytes) -> None:
    for reader in (read_one, read_many):
        with contextlib.suppress(Invalid, Malformed):
            reader(body)


@pytest.mark.parametrize("target", [None, About(id="friend")])
@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ({}, "family"),  # a guardian's `mutuals`, and the person's own `family`
        ({"guardian": "nobody"}, "nobody"),
        ({"self": "nobody"}, "nobody"),
        ({"self": "everyone"}, "mutuals"),
        ({"guardian": "family", "self": "everyone"}, "family"),
    ],
)
def test_a_setting_in_the_question_takes_the_place_of_the_stored_one(
    sent: dict[str, str], value: str, target: About | None
) -> None:
    """And what is not in the question is as stored."""
    teen = Person(AgeRange(17, 18))
    stored = State(teen, guardian={"dm.receive": "mutuals"}, self_={"dm.receive": "family"})
    states = {"teen": stored, "friend": State(teen)}
    request = Request(
        capability="dm.receive",
        actor=About(id="teen"),
        target=target,
        guardian=sent.get("guardian"),
        self_=sent.get("self"),
    )
    assert answer_request(PACKS[1], request, states).value == value


@pytest.mark.parametrize(
    ("settings", "effect"),
    [
        ({}, "allow"),
        ({"guardian": {"dm.receive": "nobody"}}, "deny"),
        ({"self_": {"dm.receive": "nobody"}}, "deny"),
        ({"guardian": {"dm.send": "nobody"}}, "allow"),  # which is about writing, not about reading
    ],
)
def test_what_the_other_side_has_set_counts(settings: dict[str, Any], effect: str) -> None:
    teen = Person(AgeRange(17, 18))
    states = {"one": State(teen), "other": State(teen, **settings)}
    request = Request(
        capability="dm.send",
        actor=About(id="one"),
        target=About(id="other"),
        relationship="mutual",
    )
    assert answer_request(PACKS[1], request, states).effect == effect


def test_what_cannot_be_read_fills_no_memory() -> None:
    """Strangers can invent questions without end. Each is answered, and none is kept."""
    pack = load_pack("teen-accounts")
    ruling = pack.ruling
    for number in range(3):
        answer = decide(pack, "dm.send", TEEN, relationship=f"invented {number}")
        assert answer.reasons[0].code == "state.unavailable"
        decide(pack, f"invented.{number}", TEEN)
    assert (ruling.memo, ruling.by_bands) == ({}, {})
    decide(pack, "dm.send", TEEN)
    assert (len(ruling.memo), len(ruling.by_bands)) == (1, 1)


@pytest.mark.parametrize(("age", "closed"), [((14, 16), False), ((15, 17), True), ((16, 18), True)])
def test_an_age_without_a_rule_is_closed_wherever_it_stands_in_the_range(
    age: tuple[int, int], closed: bool
) -> None:
    pack = load_pack("teen-accounts")
    ruling = pack.ruling
    ruling.uncovered = {**ruling.uncovered, "profile.private": frozenset({ruling.bands[16]})}
    decision = decide(pack, "profile.private", Person(AgeRange(*age)))
    assert (decision.reasons[0].code == "pack.invalid") == closed
