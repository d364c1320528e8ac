"""The settings page: every capability has its place, and says what it means."""

from kinward.families.settings.groups import (
    GROUP_NAMES,
    NOT_SETTINGS,
    SETTING_GROUPS,
    SETTING_MEANINGS,
    options,
    settings_by_group,
)
from kinward.policy.capabilities import CAPABILITIES
from kinward.policy.values import AUDIENCE, HOURS, MINUTES


def test_every_capability_is_in_one_group_and_says_what_it_means() -> None:
    grouped = [each for those in SETTING_GROUPS.values() for each in those]
    assert sorted([*grouped, *NOT_SETTINGS]) == sorted(CAPABILITIES)
    assert set(SETTING_MEANINGS) | set(NOT_SETTINGS) == set(CAPABILITIES)
    assert set(GROUP_NAMES) == {*SETTING_GROUPS, "more"}


def test_what_a_pack_adds_is_shown_last() -> None:
    assert settings_by_group(["guild.create", "session.time"]) == [
        ("time", ["session.time"]),
        ("more", ["guild.create"]),
    ]


def test_options_stay_inside_the_bounds() -> None:
    found = options(AUDIENCE, 0, 3, 2)
    assert [each.value for each in found] == ["nobody", "family", "mutuals", "followers"]
    assert [each.looser for each in found] == [False, False, False, True]
    assert [each.code for each in options(MINUTES, 15, 1440, 50)][:4] == [15, 30, 40, 50]
    assert options(HOURS, 0, 1, 0) == []
