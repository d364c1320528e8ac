"""The law by place, age and day: a table made of the statutes, apart from the packs."""

import csv
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from kinward.policy.ages import AgeRange
from kinward.policy.capabilities import CAPABILITIES
from kinward.policy.decision import Decision
from kinward.policy.engine import decide
from kinward.policy.pack import Pack
from kinward.policy.places import within
from kinward.policy.question import Person
from kinward.policy.rules import Rule
from kinward.policy.signed import load_pack
from kinward.policy.sources import read_files

TABLE = Path(__file__).parent / "law.tsv"
with TABLE.open(newline="") as file:
    ROWS = list(csv.DictReader(file, delimiter="\t"))
OPEN = """
format = 2
name = "open"
version = "1"
date = 2026-11-26
overlays = [{overlays}]
[[rule]]
id = "everything"
capability = [{names}]
default = "unrestricted"
may = ["guardian", "self"]
source = "Nothing but the law restricts anybody here."
"""


@pytest.fixture(scope="module")
def law() -> Pack:
    """A pack whose platform restricts nothing, with every overlay that ships."""
    files = read_files("teen-accounts")
    overlays = {file: text for file, text in files.items() if file.startswith("overlays/")}
    text = OPEN.format(
        names=", ".join(f'"{name}"' for name in CAPABILITIES),
        overlays=", ".join(f'"{file[9:-5]}"' for file in overlays),
    )
    return load_pack(overlays | {"pack.toml": text})


def asked(pack: Pack, row: dict[str, str], **settings: str | int) -> Decision:
    """Decide the question of a row at noon of its day."""
    age = int(row["age"])
    sure = AgeRange(age, age + 1, "a test", row["assurance"])  # type: ignore[arg-type]
    joined = date.fromisoformat(row["joined"]) if row["joined"] else None
    relationship, _, other = row["towards"].partition(" ")
    return decide(
        pack,
        row["capability"],
        Person(sure, row["place"], joined=joined),
        target=Person(AgeRange(int(other), int(other) + 1)) if other else None,
        relationship=relationship or None,
        at=datetime.combine(date.fromisoformat(row["day"]), time(12)),
        **settings,
    )


def found(pack: Pack, row: dict[str, str]) -> str:
    """Return what holds for a row, in the words of the table.

    `guardian` and `either` are closed until a guardian, or either of the two, opens it. `closed`
    stays closed. `signal` is open, and asks for the age signal. A limit is its value, and how far
    each of the two may move it.
    """
    kind = CAPABILITIES[row["capability"]].kind
    loosest = kind.value(kind.open_code)
    plain = asked(pack, row)
    if plain.effect == "allow":
        return "signal" if "age.signal" in plain.obligations else "allow"
    if row["towards"]:
        return "closed"
    guarded, chosen = (asked(pack, row, **{who: loosest}).code for who in ("guardian", "self_"))
    if kind.open_code in (guarded, chosen):
        return "either" if chosen == kind.open_code else "guardian"
    if plain.code == guarded == chosen == kind.strictest_code:
        return "closed"
    moved = {"guardian": guarded, "self": chosen}
    words = [f"{who} to {kind.value(code)}" for who, code in moved.items() if code != plain.code]
    return "; ".join([str(plain.value), *words])


@pytest.mark.parametrize("place", sorted({row["place"] for row in ROWS}))
def test_the_law_holds_from_its_day_on(law: Pack, place: str) -> None:
    rows = [row for row in ROWS if row["place"] == place]
    wrong = [f"{row}: {held}" for row in rows if (held := found(law, row)) != row["expected"]]
    assert wrong == []


def test_the_table_is_large_and_names_its_sources() -> None:
    assert len(ROWS) >= 200
    assert all(row["source"] for row in ROWS)
    places = set(load_pack("teen-accounts").places) - {"EU"}
    assert places <= {row["place"] for row in ROWS}, "every place with a law has its rows"


def test_each_day_in_the_law_has_a_row_of_it_and_of_the_day_before() -> None:
    told = {
        (place, row["capability"], date.fromisoformat(row["day"]))
        for row in ROWS
        for place in within(row["place"])
    }
    applied = [rule for rule in load_pack("teen-accounts").rules if rule.place and may_hold(rule)]
    tables: dict[tuple[str, int, str], list[Rule]] = {}
    for rule in applied:  # the rules that one table of a file makes for one place
        tables.setdefault((rule.file, rule.line, rule.place), []).append(rule)
    missing = [
        (place, rules[0].id, day)
        for (_, _, place), rules in tables.items()
        for edge in {rules[0].starts, rules[0].ends} - {date.min, date.max}
        for day in (edge - timedelta(days=1), edge)
        if not any((place, rule.capability, day) in told for rule in rules)
    ]
    assert len(tables) > 60
    assert missing == []


def may_hold(rule: Rule) -> bool:
    return rule.status == "in force" or (rule.status == "pending" and rule.starts != date.min)
