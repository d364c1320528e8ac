"""Alone, without a database: ages, values, sentences, signed exports, what a pack says of a day."""

import json
import re
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinward.policy.ages import ASSURANCES, MAX_AGE, AgeRange, from_birth_date
from kinward.policy.capabilities import CAPABILITIES
from kinward.policy.decision import known_language
from kinward.policy.diff import diff_over_time, diff_packs
from kinward.policy.engine import decide
from kinward.policy.explain import explain_decision, why_not
from kinward.policy.over_ray import simulate_over_ray
from kinward.policy.pack import decode_pack
from kinward.policy.picture import WIDTH, svg
from kinward.policy.places import within
from kinward.policy.population import from_parquet, generate_people, people_of
from kinward.policy.problems import PackExpired, PackInvalid, SignatureRefused
from kinward.policy.question import Asked, Person
from kinward.policy.rules import Rule
from kinward.policy.sentences import (
    LANGUAGES,
    capability_words,
    reason_codes,
    reason_words,
    value_words,
)
from kinward.policy.signed import export_pack, load_pack, new_signing_key, public_key
from kinward.policy.simulate import GROUPS, group_of, simulate_change
from kinward.policy.sources import read_files
from kinward.policy.values import AUDIENCE, HOURS, MINUTES
from tests.support.packs import with_hours_of_china

ISSUED, EXPIRES = date(2026, 11, 21), date(2026, 12, 21)


def test_the_engine_stands_alone() -> None:
    code = (
        "import sys; from kinward.policy import load_pack, decide, Person, AgeRange\n"
        "decide(load_pack('teen-accounts'), 'dm.send', Person(AgeRange(13, 16)))\n"
        "print(sorted({m.partition('.')[0] for m in sys.modules} & {'django', 'psycopg', 'numpy',"
        " 'procrastinate', 'cryptography', 'httpx', 'structlog'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# -- ages ------------------------------------------------------------------------------------------


def test_a_birth_date_is_a_range_and_a_day() -> None:
    found = from_birth_date(date(2010, 11, 22), date(2026, 11, 21))
    assert (found.lower, found.upper, found.changes_on) == (15, 16, date(2026, 11, 22))
    assert found.on(date(2026, 11, 21)) == found
    grown = found.on(date(2026, 11, 22))
    assert (grown.lower, grown.upper, grown.changes_on) == (16, 17, date(2027, 11, 22))
    # Years pass while a machine sleeps; from 21 on nothing more precise is kept.
    assert (found.on(date(2029, 1, 1)).lower, found.on(date(2040, 1, 1)).changes_on) == (18, None)
    assert found.on(date(2040, 1, 1)).lower == 21


def test_the_29th_of_february() -> None:
    found = from_birth_date(date(2012, 2, 29), date(2028, 2, 28))
    assert (found.lower, found.changes_on) == (15, date(2028, 2, 29))
    assert from_birth_date(date(2012, 2, 29), date(2027, 2, 28)).lower == 14
    assert from_birth_date(date(2012, 2, 29), date(2027, 3, 1)).lower == 15


@given(st.dates(date(1990, 1, 1), date(2026, 6, 1)), st.lists(st.integers(1, 800), max_size=12))
def test_a_range_that_rolls_on_is_the_range_of_the_birth_date(born: date, steps: list[int]) -> None:
    day = born + timedelta(days=1)
    rolled = from_birth_date(born, day)
    for step in steps:
        day += timedelta(days=step)
        rolled = rolled.on(day)
        assert rolled == from_birth_date(born, day)


def test_a_range_that_rolls_through_common_years_stays_at_29_february() -> None:
    found = from_birth_date(date(2012, 2, 29), date(2025, 6, 1))
    days = []
    for year in range(2026, 2033):
        days.append(found.changes_on)
        found = found.on(date(year, 6, 1))
    assert [day.isoformat()[5:] for day in days if day] == [
        "03-01", "03-01", "02-29", "03-01", "03-01", "03-01", "02-29",
    ]  # fmt: skip
    told = AgeRange(15, 16, changes_on=date(2028, 2, 29)).on(date(2031, 3, 1))
    assert (told.changes_on, told.leap_day) == (date(2032, 2, 29), True)
    march = AgeRange(15, 16, changes_on=date(2027, 3, 1)).on(date(2027, 3, 1))
    assert (march.changes_on, march.leap_day) == (date(2028, 3, 1), False)
    assert repr(told).endswith("changes_on=datetime.date(2032, 2, 29), leap_day=True)")


@pytest.mark.parametrize("day", [None, date(2028, 3, 1), date(2027, 2, 28), date(2027, 6, 1)])
def test_a_leap_day_that_cannot_be(day: date | None) -> None:
    with pytest.raises(ValueError, match="29 February"):
        AgeRange(15, 16, changes_on=day, leap_day=True)


@pytest.mark.parametrize(("lower", "upper"), [(16, 13), (13, 13), (-1, 5), (0, 151)])
def test_a_range_that_cannot_be(lower: int, upper: int) -> None:
    with pytest.raises(ValueError, match="an age range needs"):
        AgeRange(lower, upper)


def test_a_wide_range_gets_the_worst_case() -> None:
    pack = load_pack("tiktok-2021")
    wide = decide(pack, "dm.send", Person(AgeRange(13, 18)))
    assert (wide.effect, "age.establish" in wide.obligations) == ("deny", True)
    assert [reason.code for reason in wide.reasons] == ["platform.rule", "age.uncertain"]


# -- values and sentences --------------------------------------------------------------------------


def test_hours_are_a_set() -> None:
    night = HOURS.code("22:00-06:00")
    assert HOURS.value(night) == "00:00-06:00, 22:00-24:00"
    assert HOURS.value(HOURS.strictest(night, HOURS.code("05:30-23:00"))) == (
        "05:30-06:00, 22:00-23:00"
    )
    assert (HOURS.value(0), HOURS.value(HOURS.open_code)) == ("never", "always")


@pytest.mark.parametrize("bad", ["25:00-26:00", "10:15-11:00", "10:00", "", "x-y", 7, True])
def test_hours_that_are_none(bad: object) -> None:
    with pytest.raises(ValueError, match="is not"):
        HOURS.code(bad)


def test_minutes_and_words() -> None:
    assert MINUTES.code("unlimited") == 1440
    for bad in (-1, 1441, True, "60", 1.5):
        with pytest.raises(ValueError, match="minutes"):
            MINUTES.code(bad)
    with pytest.raises(ValueError, match="none of nobody, family"):
        AUDIENCE.code("friends")


def test_every_language_says_everything() -> None:
    assert LANGUAGES == ("de", "en", "es", "fr", "nl", "sv")
    english = {name: capability_words(name, "en", None) for name in CAPABILITIES}
    assert not set(english) & set(english.values())
    for language in LANGUAGES:
        for code in reason_codes():
            assert reason_words(code, language).format(age=16, time="07:00", minutes=5)
        for name in CAPABILITIES:
            words = capability_words(name, language, None)
            assert words
            assert language == "en" or words != english[name]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "only from 7:00 to 8:30, from 16:00 to 22:00"),
        ("de", "nur 7\u20138:30, 16\u201322 Uhr"),
        ("sv", "bara kl. 7\u20138.30, 16\u201322"),
        ("nl", "alleen van 7 tot 8.30, 16 tot 22 uur"),
        ("fr", "seulement de 7 h à 8 h 30, de 16 h à 22 h"),
        ("es", "solo de 7:00 a 8:30, de 16:00 a 22:00"),
    ],
)
def test_hours_are_written_as_each_language_writes_them(language: str, said: str) -> None:
    code = HOURS.code("07:00-08:30, 16:00-22:00")
    assert value_words(HOURS, code, language) == said


def test_every_reason_and_value_can_be_said() -> None:
    pack = load_pack("teen-accounts")
    at = datetime(2026, 11, 21, 23, 30)
    for name in CAPABILITIES:
        for lower in (0, 12, 15, 17, 30):
            for place in ("", "GB", "CN", "DE"):
                person = Person(AgeRange(lower, lower + 1), place)
                for decision in (decide(pack, name, person), decide(pack, name, person, at=at)):
                    for language in LANGUAGES:
                        said = decision.sentence(language)
                        assert "{" not in said
                        assert said.endswith(".")


def test_languages_we_lack_are_english() -> None:
    assert [known_language(each) for each in ("de-AT", "pt", "", "SV", "fr_CA")] == [
        *("de", "en", "en", "sv", "fr")
    ]


# -- places and days -------------------------------------------------------------------------------


def test_places_hold_each_other() -> None:
    assert within("US-CA") == {"US-CA", "US"}
    assert within("SE") == {"SE", "EU", "EEA"}
    assert within("NO") == {"NO", "EEA"}
    for bad in ("XX", "us", "US-", "USA", "US-CALI", "", "EU-1"):
        with pytest.raises(ValueError, match="ISO 3166"):
            within(bad)


def test_a_law_begins_on_its_day() -> None:
    pack, teen = load_pack("teen-accounts"), Person(AgeRange(15, 16), "AU")
    assert decide(pack.on(date(2025, 12, 9)), "account.join", teen).effect == "allow"
    assert decide(pack.on(date(2025, 12, 10)), "account.join", teen).effect == "deny"
    before = datetime(2025, 12, 9, 23, 59)
    assert decide(pack, "account.join", teen, at=before).effect == "allow"


def test_an_explanation_names_each_layer() -> None:
    person = Person(AgeRange(15, 16), "US-VA")
    found = explain_decision(load_pack("teen-accounts"), "session.time", person, guardian=2000)
    assert found == {"unreadable": "setting.invalid"}
    found = explain_decision(load_pack("teen-accounts"), "session.time", person, guardian=5)
    assert found["decided_by"] == "guardian"
    assert [each["value"] for each in found["layers"]] == [60, 60, 15, 15]
    laws = {rule["id"]: rule["why"] for rule in found["layers"][1]["rules"]}
    assert laws["us-va-hour"] == "it is not in force on this day (enjoined)"
    assert laws["cn-minutes-8-15"] == "it is not in force on this day (verify)"
    found = explain_decision(load_pack("teen-accounts"), "account.join", person)
    laws = {rule["id"]: rule["why"] for rule in found["layers"][1]["rules"]}
    assert laws["au-minimum-age"] == "it is the law of AU"


@pytest.mark.parametrize("hour", [3, 12, 23])
@pytest.mark.parametrize("day", [21, 22, 23, 24, 25, 26, 27])
def test_an_explanation_ends_with_the_value_of_the_decision(day: int, hour: int) -> None:
    at = datetime(2026, 11, day, hour, 30)
    week = (30, 35, 40, 45, 50, 55, 58)
    pack, person = load_pack("teen-accounts"), Person(AgeRange(15, 16), "AU")
    chosen: list[tuple[str, object, object]] = [
        ("session.time", week, None),
        ("session.hours", "08:00-20:30", "09:00-22:00"),
        ("account.join", None, None),
    ]
    for name, guardian, self_ in chosen:
        settings: dict[str, Any] = {"guardian": guardian, "self_": self_}
        decision = decide(pack, name, person, at=at, **settings)
        explained = explain_decision(pack, name, person, at=at, **settings)
        assert explained["layers"][-1]["value"] == decision.value
        assert explained["decided_by"] == decision.layer
    early = explain_decision(pack, "account.join", person, at=datetime(2025, 12, 9, hour))
    assert early["layers"][-1]["value"] == "allow", "the law of this day, not of today"


def test_a_picture_of_a_simulation_stays_within_its_width() -> None:
    (people,) = generate_people(5_000, seed=3)
    before, after = load_pack("tiktok-2021").ruling, load_pack("teen-accounts").ruling
    drawn = svg(simulate_change(before, after, [people]))
    label = 110
    widths = [float(width) for width in re.findall(r'x="110" y="[^"]+" width="([^"]+)"', drawn)]
    assert len(widths) > 3
    assert max(widths) == WIDTH - label - 100, "the longest bar leaves room for its number"
    assert min(widths) >= 1


def test_an_explanation_says_for_whom_else_a_rule_is() -> None:
    rule = Rule(
        id="x",
        capability="dm.send",
        default=0,
        floor=0,
        cap=0,
        lower=13,
        upper=16,
        other_lower=18,
        other_upper=30,
        assurance_below=2,
        relationships=frozenset({"stranger"}),
    )
    fits = Asked(
        capability=CAPABILITIES["dm.send"],
        lower=13,
        upper=16,
        assurance=1,
        places=frozenset(),
        other_lower=18,
        other_upper=30,
        relationship="stranger",
    )
    assert why_not(rule, fits, live=True) == ""
    for change, why in (
        ({"lower": 16, "upper": 17}, "it is for ages 13 to below 16"),
        ({"lower": 12, "upper": 13}, "it is for ages 13 to below 16"),
        ({"assurance": 2}, f"it is for ages known less surely than {ASSURANCES[2]}"),
        ({"other_upper": 18, "other_lower": 17}, "it is for others of 18 to below 30"),
        ({"other_upper": 31, "other_lower": 30}, "it is for others of 18 to below 30"),
        ({"relationship": "mutual"}, "it is for stranger"),
    ):
        assert why_not(rule, msgspec.structs.replace(fits, **change), live=True) == why
    assert why_not(rule, msgspec.structs.replace(fits, relationship=None), live=True) == ""


def test_people_are_counted_by_groups_of_age() -> None:
    ranges = ((0, MAX_AGE), (0, 13), (12, 13), (13, 16), (15, 16), (16, 18), (17, 18), (18, 30))
    names = [group_of(lower, upper) for lower, upper in ranges]
    assert names == [GROUPS[0], *[GROUPS[n] for n in (1, 1, 2, 2, 3, 3, 4)]]
    assert {group_of(*pair) for pair in ((12, 14), (15, 17), (17, 19), (13, 18))} == {"uncertain"}


def test_what_a_new_edition_changes_is_said_with_its_days() -> None:
    before, after = decode_pack(read_files("teen-accounts 2026.11")), load_pack("teen-accounts")
    lines = [str(line) for line in diff_over_time(before, after, date(2026, 11, 26))]
    for line in (
        "account.join, 13 to 17, in US-TX: allow -> deny; "
        "guardian deny to allow (proof: card) (stricter)",
        "account.join, 13 to 17, in US-UT: deny; guardian deny to allow -> allow (looser), "
        "before 2027-05-06",
        "account.join, 13 to 17, in US-LA: allow -> deny; "
        "guardian deny to allow (proof: card) (stricter), from 2027-07-01",
        "account.join, 13 to 17, in US-AL (accounts that joined on 2027-01-01 or later): "
        "allow -> deny; guardian deny to allow (proof: card) (stricter), from 2027-01-01, "
        "before 2027-10-01",
        "account.join, 13 to 17, in US-AL: allow -> deny; "
        "guardian deny to allow (proof: card) (stricter), from 2027-10-01",
        "live.record, under 18: not there -> deny (different)",
    ):
        assert line in lines
    assert diff_over_time(after, after, date(2026, 11, 26)) == []


def test_the_difference_in_words() -> None:
    before = with_hours_of_china(read_files("teen-accounts"))
    after = before | {
        "pack.toml": before["pack.toml"]
        .replace('version = "2026.11-2"', 'version = "2"')
        .replace("default = 60\nbounds = [15", "default = 45\nbounds = [15")
    }
    lines = [str(line) for line in diff_packs(load_pack(before).ruling, load_pack(after).ruling)]
    assert lines == [
        "session.time, 13 to 15: 60; guardian 15 to 1440 (proof: card) -> "
        "45; guardian 15 to 1440 (proof: card) (stricter)",
        "session.time, 16 to 17: 60; guardian 15 to 1440 (proof: card); self 0 to 1440 -> "
        "45; guardian 15 to 1440 (proof: card); self 0 to 1440 (stricter)",
        # Where the law lets a guardian give less, that is said beside.
        "session.time, 13 to 15, in CN: 60; guardian 15 to 60 (proof: card) -> "
        "45; guardian 15 to 60 (proof: card) (stricter)",
        "session.time, 16 to 17, in CN: 60; guardian 15 to 120 (proof: card); self 0 to 120 -> "
        "45; guardian 15 to 120 (proof: card); self 0 to 120 (stricter)",
    ]
    assert diff_packs(load_pack(before).ruling, load_pack(before).ruling) == []


# -- exports ---------------------------------------------------------------------------------------


@pytest.fixture
def key() -> str:
    return new_signing_key()


@pytest.fixture
def exported(key: str) -> bytes:
    files = read_files("teen-accounts")
    return export_pack(files, signing_key=key, issued=ISSUED, expires=EXPIRES)


def test_an_export_decides_like_its_pack(exported: bytes, key: str, tmp_path: Path) -> None:
    path = tmp_path / "pack.json"
    path.write_bytes(exported)
    teen = Person(AgeRange(13, 16))
    pack = load_pack(path, key=public_key(key), on=ISSUED)
    assert pack.digest == load_pack("teen-accounts").digest
    assert decide(pack, "dm.send", teen).effect == "deny"


def test_an_export_by_another_key_or_changed_is_refused(exported: bytes, key: str) -> None:
    with pytest.raises(SignatureRefused):
        load_pack(exported, key=public_key(new_signing_key()), on=ISSUED)
    with pytest.raises(SignatureRefused):
        load_pack(exported, key="zz", on=ISSUED)
    with pytest.raises(SignatureRefused):
        load_pack(exported, on=ISSUED)
    document = json.loads(exported)
    document["body"] = document["body"][:40] + "A" + document["body"][41:]
    with pytest.raises(SignatureRefused):
        load_pack(json.dumps(document).encode(), key=public_key(key), on=ISSUED)
    for broken in (b"", b"{}", b"[1]", exported[:-10], b"\xff" * 50):
        with pytest.raises(PackInvalid):
            load_pack(broken, key=public_key(key), on=ISSUED)


@pytest.mark.parametrize("day", [date(2026, 11, 20), EXPIRES, date(2030, 1, 1)])
def test_an_export_past_its_date_is_refused(exported: bytes, key: str, day: date) -> None:
    with pytest.raises(PackExpired):
        load_pack(exported, key=public_key(key), on=day)


# -- populations -----------------------------------------------------------------------------------


def test_a_population_from_parquet_and_over_ray(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    (people,) = generate_people(50_000, seed=3)
    table = pyarrow.table(
        {
            "id": [f"a{number}" for number in range(50_000)],
            "age_lower": people.lower,
            "age_upper": people.upper,
            "jurisdiction": [people.places[place] for place in people.place.tolist()],
        }
    )
    path = tmp_path / "accounts.parquet"
    parquet.write_table(table, path, row_group_size=9_000)
    before, after = load_pack("tiktok-2021").ruling, load_pack("teen-accounts").ruling
    here = simulate_change(before, after, from_parquet(path))
    assert here.accounts == 50_000
    assert any(change.examples for change in here.changes)
    there = simulate_over_ray(before, after, path)
    plain = {(c.capability, c.group, c.place, c.before, c.after): c.accounts for c in here.changes}
    assert plain == {
        (c.capability, c.group, c.place, c.before, c.after): c.accounts for c in there.changes
    }
    assert (there.accounts, there.touched) == (here.accounts, here.touched)


def test_ages_that_cannot_be_are_unknown() -> None:
    nan = float("nan")
    people = people_of(
        {
            "age_lower": [13, 20, -5, 0, 18, 18, 16, nan, 16],
            "age_upper": [16, 10, 3, 13, MAX_AGE, MAX_AGE + 1, 16, 13, nan],
        }
    )
    assert people.lower.tolist() == [13, 0, 0, 0, 18, 0, 0, 0, 16]
    assert people.upper.tolist() == [16, 150, 150, 13, 150, 150, 150, 13, 150]
