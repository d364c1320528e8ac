"""The pack `tiktok-2021` says what the platform said in 2021."""

import pytest

from kinward.policy.ages import UNKNOWN, AgeRange
from kinward.policy.capabilities import CAPABILITIES
from kinward.policy.engine import decide
from kinward.policy.pack import Pack
from kinward.policy.question import Person
from kinward.policy.signed import load_pack


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack("tiktok-2021")


def aged(age: int) -> Person:
    return Person(AgeRange(age, age + 1))


TABLE = {
    # capability: (effect, value) at 12, 13, 14, 15, 16, 17
    "account.join": [("deny", "deny"), *[("allow", "allow")] * 5],
    "profile.private": [*[("limit", "private")] * 4, *[("allow", "public")] * 2],
    "dm.send": [*[("deny", "nobody")] * 4, *[("limit", "followers")] * 2],
    "dm.receive": [*[("deny", "nobody")] * 4, *[("limit", "nobody")] * 2],
    "live.host": [*[("deny", "deny")] * 4, *[("allow", "allow")] * 2],
    "content.download": [("deny", "deny")] * 6,
    "content.remix": [*[("deny", "nobody")] * 4, *[("allow", "everyone")] * 2],
    "dm.media": [("deny", "deny")] * 6,
}


@pytest.mark.parametrize("name", TABLE)
def test_the_table(pack: Pack, name: str) -> None:
    expected = TABLE[name]
    for age, (effect, value) in zip(range(12, 18), expected, strict=True):
        decision = decide(pack, name, aged(age))
        assert (decision.effect, decision.value) == (effect, value), f"{name} at {age}"


@pytest.mark.parametrize("name", ["dm.send", "dm.receive"])
def test_messages_open_at_16_when_the_person_chooses(pack: Pack, name: str) -> None:
    for age, effect in ((15, "deny"), (16, "allow"), (17, "allow")):
        decision = decide(pack, name, aged(age), self_="followers", relationship="follower")
        assert decision.effect == effect


def test_what_is_closed_says_when_it_opens(pack: Pack) -> None:
    for name in ("dm.send", "dm.receive", "live.host"):
        decision = decide(pack, name, aged(13))
        assert [(r.code, dict(r.fill)) for r in decision.reasons][-1] == ("age.opens", {"age": 16})


def test_downloads_are_never_on_at_15_and_on_by_choice_at_16(pack: Pack) -> None:
    assert decide(pack, "content.download", aged(15), self_="allow").effect == "deny"
    chosen = decide(pack, "content.download", aged(16), self_="allow")
    assert (chosen.effect, chosen.layer, chosen.obligations) == ("allow", "self", ("confirm",))


@pytest.mark.parametrize(("age", "last"), [(15, "21:00"), (16, "22:00")])
def test_no_push_in_the_evening(pack: Pack, age: int, last: str) -> None:
    assert decide(pack, "notify.push", aged(age)).value == f"08:00-{last}"


@pytest.mark.parametrize("name", sorted(CAPABILITIES))
def test_an_unknown_age_gets_the_most_protective_answer(pack: Pack, name: str) -> None:
    decision = decide(pack, name, Person(UNKNOWN))
    assert decision.code == CAPABILITIES[name].kind.strictest_code
    assert decision.effect != "allow"
    # What has no "off" is at its narrowest, and still there.
    if name not in {"follow.receive", "profile.private", "session.break"}:
        assert decision.effect == "deny"


def test_who_does_not_say_their_age_is_asked_for_it(pack: Pack) -> None:
    decision = decide(pack, "account.join", Person(UNKNOWN))
    assert decision.effect == "deny"
    assert "age.establish" in decision.obligations
    assert "age.unknown" in {reason.code for reason in decision.reasons}


def test_an_unknown_age_and_an_uncertain_one_are_told_apart_whoever_asks_first() -> None:
    ages = {"age.unknown": AgeRange(0, 150), "age.uncertain": AgeRange(0, 19)}
    for codes in (("age.unknown", "age.uncertain"), ("age.uncertain", "age.unknown")):
        pack = load_pack("tiktok-2021")
        for code in codes:
            decision = decide(pack, "ads.personalised", Person(ages[code]))
            assert code in {reason.code for reason in decision.reasons}
