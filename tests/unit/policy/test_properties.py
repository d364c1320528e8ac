"""What must hold for every pack we ship, whoever asks."""

import random
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kinward.policy.ages import ASSURANCES, AgeRange
from kinward.policy.bounds import applying, combine
from kinward.policy.capabilities import CAPABILITIES, RELATIONSHIPS
from kinward.policy.decision import EFFECTS, LAYERS, Decision
from kinward.policy.engine import decide
from kinward.policy.pack import Pack, decode_pack, read_pack
from kinward.policy.question import Person, Question, read_question
from kinward.policy.vector import decide_columns
from tests.support.deep import DEEP
from tests.unit.policy.cases import PLACES, packs, people, questions, random_columns

# A share for each capability and pack.
CASES = 1_000_000 if DEEP else 200_000


def no_stricter(a: Decision, b: Decision) -> bool:
    """Whether `a` permits at least what `b` does."""
    assert a.kind is not None
    assert a.kind == b.kind
    return (
        EFFECTS.index(a.effect) >= EFFECTS.index(b.effect)
        and a.kind.strictest(a.code, b.code) == b.code
    )


def asked(pack: Pack, actor: Person, question: dict[str, Any]) -> Decision:
    rest = {name: value for name, value in question.items() if name != "capability"}
    return decide(pack, question["capability"], actor, **rest)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(packs()), people(), questions(), st.data())
def test_knowing_an_age_better_never_takes_anything(
    pack: Pack, actor: Person, question: dict[str, Any], data: st.DataObject
) -> None:
    age = actor.age
    lower = data.draw(st.integers(age.lower, age.upper - 1))
    upper = data.draw(st.integers(lower + 1, age.upper))
    better = AgeRange(lower, upper, age.source, age.assurance)
    narrow = Person(better, actor.jurisdiction, joined=actor.joined)
    assert no_stricter(asked(pack, narrow, question), asked(pack, actor, question))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(packs()), people(), questions(), st.integers(0, 4000))
def test_knowing_that_an_account_is_older_never_takes_anything(
    pack: Pack, actor: Person, question: dict[str, Any], days: int
) -> None:
    known = actor.joined or date(2030, 1, 1)
    older = Person(actor.age, actor.jurisdiction, joined=known - timedelta(days=days))
    assert no_stricter(asked(pack, older, question), asked(pack, actor, question))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(packs()), people(), questions())
def test_without_consent_nothing_is_open_on_either_side(
    pack: Pack, actor: Person, question: dict[str, Any]
) -> None:
    gone = replace(actor, consent_withdrawn=True)
    mine = asked(pack, gone, question)
    assert (mine.effect, mine.layer) == ("deny", "platform")
    assert [reason.code for reason in mine.reasons] == ["consent.withdrawn"]
    assert mine.kind is not None
    assert mine.code == mine.kind.strictest_code
    theirs = asked(pack, actor, question | {"target": gone})
    assert theirs.effect == "deny"
    assert [reason.code for reason in theirs.reasons] == ["target.closed"]
    # And nothing of it is remembered for whom consent holds.
    assert asked(pack, actor, question).reasons[0].code != "consent.withdrawn"


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(packs()),
    people(),
    questions(),
    st.sampled_from(["asked", "refused"]),
    st.sets(st.sampled_from([*CAPABILITIES, "new.thing"]), max_size=3).map(frozenset),
)
def test_what_a_change_brings_is_closed_on_either_side(
    pack: Pack, actor: Person, question: dict[str, Any], change: Any, brings: frozenset[str]
) -> None:
    without = replace(actor, change=change, brings=brings)
    name = question["capability"]
    all_of_it = not brings <= pack.capabilities.keys() or not brings
    closed = all_of_it or {name, CAPABILITIES[name].counterpart} & brings
    mine, before = asked(pack, without, question), asked(pack, actor, question)
    to = question | {"target": without}
    theirs, open_ = asked(pack, actor, to), asked(pack, actor, question | {"target": actor})
    if closed:
        assert (mine.effect, mine.layer) == ("deny", "platform")
        assert [reason.code for reason in mine.reasons] == [f"consent.{change}"]
        assert [reason.code for reason in theirs.reasons] == ["target.closed"]
    else:
        assert mine.as_dict() == before.as_dict()
        assert theirs.as_dict() == open_.as_dict()


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(packs()), people(), questions(), st.sampled_from(PLACES))
def test_a_jurisdiction_never_loosens(
    pack: Pack, actor: Person, question: dict[str, Any], place: str
) -> None:
    assume(pack.unknown_place == "baseline" and pack.elsewhere == "baseline")
    nowhere, country, there = (
        Person(actor.age, where, joined=actor.joined)
        for where in ("", place.partition("-")[0], place)
    )
    assert no_stricter(asked(pack, nowhere, question), asked(pack, country, question))
    assert no_stricter(asked(pack, country, question), asked(pack, there, question))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(packs()[:2]), people(), questions(), st.data())
def test_an_overlay_never_loosens(
    pack: Pack, actor: Person, question: dict[str, Any], data: st.DataObject
) -> None:
    overlays = sorted(set(pack.files) - {"pack.toml", "tests.toml"})
    assume(overlays)
    kept = data.draw(st.sets(st.sampled_from(overlays)))
    names = ", ".join(f'"{each[9:-5]}"' for each in sorted(kept))
    text = pack.files["pack.toml"]
    start, end = text.index("overlays = ["), text.index("]\n", text.index("overlays = ["))
    fewer = {file: pack.files[file] for file in kept} | {
        "pack.toml": text[:start] + f"overlays = [{names}" + text[end:]
    }
    assert no_stricter(asked(read_pack(fewer), actor, question), asked(pack, actor, question))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(packs()), people(), questions())
def test_nobody_leaves_their_bounds(pack: Pack, actor: Person, question: dict[str, Any]) -> None:
    question = question | {"target": None, "relationship": None}
    found = asked(pack, actor, question)
    kind = CAPABILITIES[question["capability"]].kind
    read = read_question(pack.ruling, question["capability"], Question(actor=actor))
    assume(not isinstance(read, str))
    assert not isinstance(read, str)
    bounds = combine(kind, applying(pack.ruling, read[0]))
    cap = kind.loosest(bounds.self_cap, bounds.guardian_cap)
    floor = kind.strictest(bounds.self_floor, bounds.guardian_floor)
    assert kind.strictest(found.code, cap) == found.code
    assert kind.loosest(found.code, floor) == found.code
    if not bounds.guardian_moves:
        # Without a guardian, nothing but the person's own bounds counts.
        assert kind.strictest(found.code, bounds.self_cap) == found.code
    # And the law's own limits hold whoever moves what: a cap that no mover of it may pass.
    law = [rule for rule in applying(pack.ruling, read[0]) if rule.place]
    for rule in law:
        most = kind.loosest(rule.bounds("guardian")[1], rule.bounds("self")[1])
        assert kind.strictest(found.code, most) == found.code


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(packs()), people(), questions(), st.randoms(use_true_random=False))
def test_the_order_of_files_and_rules_does_not_matter(
    pack: Pack, actor: Person, question: dict[str, Any], random: random.Random
) -> None:
    files = list(pack.files.items())
    random.shuffle(files)
    shuffled = {}
    for file, text in files:
        head, *rules = text.split("[[rule]]\n")
        random.shuffle(rules)
        shuffled[file] = "[[rule]]\n".join([head, *(rule + "\n" for rule in rules)])
    other = decode_pack(shuffled)
    mine, theirs = asked(pack, actor, question), asked(other, actor, question)
    assert mine.as_dict() == theirs.as_dict()
    assert set(mine.rules) == set(theirs.rules)


@pytest.mark.parametrize("number", range(len(packs())))
def test_columns_agree_with_single_decisions(number: int) -> None:
    pack = packs()[number]
    share = CASES // len(packs()) // len(CAPABILITIES) + 1
    for seed, name in enumerate(sorted(CAPABILITIES)):
        capability = CAPABILITIES[name]
        kind = capability.kind
        columns = random_columns(kind, share, seed + 1000 * number)
        decided = decide_columns(pack.ruling, name, columns)
        single = list(map(_single(pack, name, columns), range(share)))
        effects = np.array([EFFECTS.index(each.effect) for each in single])
        codes = np.array([each.code for each in single])
        layers = np.array([LAYERS.index(each.layer) for each in single])
        for row in np.flatnonzero(
            (effects != decided.effect) | (codes != decided.code) | (layers != decided.layer)
        ):
            raise AssertionError(
                f"{pack.label} {name} row {row}: {single[row]!r}, but the column says "
                f"{EFFECTS[decided.effect[row]]} {kind.value(int(decided.code[row]))!r} "
                f"by {LAYERS[decided.layer[row]]}"
            )


def _single(pack: Pack, name: str, columns: Any) -> Any:
    """The same question as row `row` of the columns, for `decide`."""
    kind, brings = CAPABILITIES[name].kind, columns.brings

    def people_of(side: Any) -> list[Person]:
        columns = (
            *(side.lower, side.upper, side.assurance, side.place, side.joined),
            *(side.withdrawn, side.change),
        )
        rows = zip(*(each.tolist() for each in columns), strict=True)
        return [
            Person(
                AgeRange(a, b, "c", ASSURANCES[s]),
                PLACES[p],
                joined=date.fromordinal(j),
                consent_withdrawn=w,
                change="asked" if c else "",
                brings=brings,
            )
            for a, b, s, p, j, w, c in rows
        ]

    def values(codes: Any) -> list[Any]:
        return [None if code == -1 else kind.value(code) for code in codes.tolist()]

    actors, targets = people_of(columns.actor), people_of(columns.target)
    settings = [
        values(each)
        for each in (
            *(columns.actor.guardian, columns.actor.self_),
            *(columns.target.guardian, columns.target.self_),
        )
    ]
    relationships, slots = columns.relationship.tolist(), columns.slot.tolist()
    day = pack.date

    def single(row: int) -> Decision:
        slot = slots[row]
        at = None
        if slot != -1:
            at = datetime(day.year, day.month, day.day, slot // 2, slot % 2 * 30)
        return decide(
            pack,
            name,
            actors[row],
            target=targets[row],
            relationship=None if relationships[row] == -1 else RELATIONSHIPS[relationships[row]],
            at=at,
            guardian=settings[0][row],
            self_=settings[1][row],
            target_guardian=settings[2][row],
            target_self=settings[3][row],
        )

    return single
