"""The list of places says what a decision does: whom a law is about, and on which conditions."""

from typing import Final

from kinward.policy.ages import ASSURANCES, MAX_AGE
from kinward.policy.capabilities import RELATIONSHIPS
from kinward.policy.listing import PEOPLE, list_places
from kinward.policy.rules import ALL_RELATIONSHIPS
from kinward.policy.signed import load_pack

PACK: Final = load_pack("teen-accounts")
WHOM: Final = {row.id: row.whom for row in list_places(PACK, PACK.date)}


def test_a_line_says_whom_the_law_is_about() -> None:
    assert WHOM["gb-mature-minors"] == "under 18"
    assert WHOM["gb-mature-assurance"] == "all ages, while the age is less certain than estimated"
    assert WHOM["gb-unknown-adults"] == "under 18, towards strangers of 18 and over"
    assert WHOM["us-al-store-consent"] == "under 18, accounts that joined on 2027-01-01 or later"
    assert {*PEOPLE} == {*RELATIONSHIPS}


def test_no_condition_of_a_law_is_left_out() -> None:
    for rule in PACK.rules:
        if not rule.place:
            continue
        said = WHOM[rule.id] if rule.id in WHOM else WHOM[rule.id.rpartition(".")[0]]
        assert ("less certain" in said) == (rule.assurance_below < len(ASSURANCES)), rule.id
        towards = rule.relationships != ALL_RELATIONSHIPS
        towards |= (rule.other_lower, rule.other_upper) != (0, MAX_AGE)
        assert ("towards" in said) == towards, rule.id
        assert ("joined" in said) == (rule.joined_from.year > 1), rule.id
