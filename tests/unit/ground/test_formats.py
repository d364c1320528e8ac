"""Stored documents stay readable: one of each format, whatever a newer Kinward brings."""

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import get_args

import msgspec
import numpy as np
import pytest

from kinward.guidelines import consequences
from kinward.guidelines import formats as guidelines_formats
from kinward.guidelines.consequences import rule_for
from kinward.guidelines.formats import decode
from kinward.guidelines.reading import (
    GuidelinesInvalid,
    guidelines_notices,
    read_guidelines,
    shipped,
)
from kinward.guidelines.rules import MATCHES, Guidelines
from kinward.policy import pack as pack_formats
from kinward.policy.ages import ASSURANCES, AgeRange
from kinward.policy.capabilities import CAPABILITIES, RELATIONSHIPS, Capability
from kinward.policy.check import check_pack
from kinward.policy.decision import EFFECTS
from kinward.policy.engine import decide
from kinward.policy.pack import decode_pack, read_pack
from kinward.policy.problems import PackInvalid
from kinward.policy.question import Person
from kinward.policy.signed import export_pack, load_pack, new_signing_key, public_key
from kinward.policy.sources import read_files
from kinward.policy.values import AUDIENCE, PERMISSION, level
from kinward.policy.vector import Columns, Side, decide_columns
from kinward.reporting import draft as draft_formats
from kinward.reporting.draft import Draft, DraftUnreadable, from_json, to_json
from tests.support.growth import (
    ANOTHER_LANGUAGE,
    begin_capability,
    begin_category,
    begin_language,
)
from tests.support.packs import as_read

STORED = Path("tests/support/stored")
TODAY = date(2026, 11, 21)
GUIDELINES = (STORED / "guidelines/1.toml").read_text()
PACK = read_files(STORED / "packs/1")
READ = as_read(PACK)  # as today's rules ask for it
DRAFT = json.loads((STORED / "drafts/1.json").read_text())
TEEN, CHILD = Person(AgeRange(16, 17)), Person(AgeRange(14, 15))


@pytest.mark.parametrize(
    ("folder", "formats"),
    [
        ("guidelines", guidelines_formats.FORMATS),
        ("packs", pack_formats.FORMATS),
        ("drafts", draft_formats.FORMATS),
    ],
)
def test_a_document_of_each_format_is_kept(folder: str, formats: Iterable[int]) -> None:
    numbers = sorted(int(path.name.partition(".")[0]) for path in (STORED / folder).iterdir())
    assert numbers == sorted(formats), f"put a document of each format into {STORED / folder}"


def test_what_is_written_today_has_the_newest_format() -> None:
    (newest,) = get_args(msgspec.structs.fields(Guidelines)[0].type)
    assert newest == max(guidelines_formats.FORMATS)
    assert max(draft_formats.FORMATS) == draft_formats.FORMAT
    assert to_json(from_json(DRAFT))["format"] == draft_formats.FORMAT


@pytest.mark.parametrize("path", sorted((STORED / "guidelines").iterdir()), ids=str)
def test_stored_guidelines_are_decoded(path: Path) -> None:
    guidelines = decode(path.read_text())
    assert guidelines.label == f"stored-guidelines {path.stem}"
    assert list(guidelines.clauses) == ["CS-1", "CS-2", "SF-2", "SF-4"]
    assert rule_for(guidelines, "verified", exact=True).verdict == "CS-1"
    assert rule_for(guidelines, "verified").account == "suspend"
    assert rule_for(guidelines, "reported", category="other").within_hours == 168
    assert guidelines.clauses["CS-1"].says("sv")[0].startswith("Inget material")
    assert guidelines.clauses["SF-4"].capabilities == ("dm.send", "guild.create")
    assert [step.at for step in guidelines.strikes.step] == [1, 2, 3, 5]


@pytest.mark.parametrize("path", sorted((STORED / "packs").iterdir()), ids=str)
def test_a_stored_pack_is_decoded(path: Path) -> None:
    pack = decode_pack(read_files(path))
    assert pack.label == f"stored-pack {path.name}"
    assert decide(pack, "session.time", CHILD, guardian=200).value == 120
    assert decide(pack, "guild.create", CHILD).value == "small"
    assert decide(pack, "voice.join", CHILD).effect == "deny"
    assert decide(pack, "voice.join", TEEN).effect == "allow"
    assert decide(pack, "notify.push", Person(CHILD.age, "AU")).value == "07:00-22:00"
    assert (pack.families.guardian_age, pack.families.notice_hours) == (21, 24)


@pytest.mark.parametrize("path", sorted((STORED / "drafts").iterdir()), ids=str)
def test_a_stored_draft_is_decoded_whole(path: Path) -> None:
    stored = json.loads(path.read_text())
    draft = from_json(stored)
    assert draft.files[0].classification == "A1"
    assert draft.account.person is not None
    assert draft.account.person.born == date(1990, 1, 2)
    empty = ("viral_accounts",)
    for field in msgspec.structs.fields(Draft):
        assert getattr(draft, field.name) or field.name in empty, "the sample says everything"
    encoded = json.loads(msgspec.json.encode(to_json(draft)))
    kept = {key: encoded[key] for key in stored if key != "format"}
    assert kept == {key: stored[key] for key in kept}, "nothing of it is lost"


def test_a_document_without_a_number_is_format_1() -> None:
    assert decode(GUIDELINES.replace("format = 1\n", "")) == decode(GUIDELINES)
    old = PACK | {"pack.toml": PACK["pack.toml"].replace("format = 1\n", "")}
    assert decide(decode_pack(old), "guild.create", CHILD).value == "small"
    assert read_pack(as_read(old)).label == "stored-pack 1", "at the door, too"
    assert from_json({key: each for key, each in DRAFT.items() if key != "format"}) == from_json(
        DRAFT
    )


@pytest.mark.parametrize("number", ["9", "0", "true", '"1"'])
def test_a_format_that_never_was_is_named(number: str) -> None:
    with pytest.raises(GuidelinesInvalid, match=r"format .* is unknown; known are 1"):
        decode(GUIDELINES.replace("format = 1", f"format = {number}"))
    text = PACK["pack.toml"].replace("format = 1", f"format = {number}")
    for read in (decode_pack, read_pack):
        with pytest.raises(PackInvalid, match=r"pack.toml:3: .*format .* is unknown"):
            read(PACK | {"pack.toml": text})
    with pytest.raises(DraftUnreadable, match="known are 1, 2"):
        from_json(DRAFT | {"format": json.loads(number)})


def test_what_was_never_accepted_is_refused() -> None:
    for text in ("= 1", GUIDELINES.replace("within_hours = 1\n", 'within_hours = "soon"\n')):
        with pytest.raises(GuidelinesInvalid, match=r"guidelines.toml:\d"):
            decode(text)
    values: list[object] = [[], None, {"format": 1}, DRAFT | {"incident": "weather"}]
    for value in values:
        with pytest.raises(DraftUnreadable):
            from_json(value)
    for header in ('version = "1"', "date = 2026-11-21", 'source = "a policy"'):
        with pytest.raises(PackInvalid):
            decode_pack(PACK | {"pack.toml": PACK["pack.toml"].replace(header, "", 1)})
    with pytest.raises(PackInvalid):
        decode_pack({"tests.toml": ""})


def test_a_language_that_begins_is_read_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    before = guidelines_notices(GUIDELINES)
    begin_language(monkeypatch)
    guidelines = decode(GUIDELINES)
    clause = guidelines.clauses["SF-2"]
    assert clause.says(ANOTHER_LANGUAGE) == clause.says("en")
    read_guidelines(shipped())  # nor is it an error at the door
    (notice,) = set(guidelines_notices(GUIDELINES)) - set(before)
    assert notice.level == "notice"
    missing = f"missing in {ANOTHER_LANGUAGE!r} is read in English: CS-1, CS-2, SF-2, SF-4"
    assert missing in notice.text
    assert GUIDELINES.splitlines()[notice.line - 1] == 'code = "CS-1"'


def test_what_no_language_has_is_still_an_error() -> None:
    text = GUIDELINES.replace('en = "No bullying', 'sv = "No bullying', 1).replace(
        'sv = "Ingen mobbning och inget hat"\n', "", 1
    )
    before = {problem.text for problem in guidelines_notices(GUIDELINES)}
    (problem,) = (each for each in guidelines_notices(text) if each.text not in before)
    assert problem.level == "error"
    assert "title is missing in 'en'" in problem.text
    decode(text)


def test_a_new_category_of_reports_is_for_a_person_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    begin_category(monkeypatch, "money")
    guidelines = decode(GUIDELINES)
    rule = rule_for(guidelines, "reported", category="money")
    assert (rule.priority, rule.within_hours) == ("imminent", 1), "as the most urgent that it knows"
    assert (rule.content, rule.account, rule.verdict) == ("keep", "keep", "")
    with pytest.raises(GuidelinesInvalid, match="a report of 'money'"):
        read_guidelines(GUIDELINES)


def test_a_new_kind_of_match_is_quarantined_until_a_person_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consequences, "MATCHES", (*MATCHES, "suspected"))
    guidelines = decode(GUIDELINES)
    rule = rule_for(guidelines, "suspected")  # type: ignore[arg-type]
    assert (rule.content, rule.account, rule.verdict) == ("quarantine", "keep", "")
    assert (rule.priority, rule.within_hours) == ("imminent", 1)


NEWER = [
    Capability("voice.join", PERMISSION),
    Capability("voice.join", AUDIENCE),
    Capability("voice.join", AUDIENCE, "voice.receive"),
    Capability("voice.join", PERMISSION, "voice.receive"),
    Capability("voice.join", level(("allow", "deny"))),  # the same words, the other way round
]


@pytest.mark.parametrize("newer", NEWER, ids=repr)
def test_a_packs_own_capability_keeps_its_meaning(
    newer: Capability, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = decode_pack(PACK)
    begin_capability(monkeypatch, newer)
    if newer.counterpart:
        begin_capability(monkeypatch, Capability("voice.receive", newer.kind, "voice.join"))
    after = decode_pack(PACK)
    for person in (CHILD, TEEN, Person(), Person(TEEN.age, "AU")):
        for target, relationship in ((None, None), (CHILD, "stranger"), (TEEN, "mutual")):
            old, new = (
                decide(pack, "voice.join", person, target=target, relationship=relationship)
                for pack in (before, after)
            )
            assert (new.effect, new.value) == (old.effect, old.value)
            assert new.sentence() == old.sentence(), "in the words of the pack"
    if newer.counterpart:
        assert decide(after, "voice.receive", TEEN).effect == "deny", "no rule speaks of it yet"


@pytest.mark.parametrize("newer", NEWER, ids=repr)
def test_blocking_ends_what_kinward_knows_as_contact(
    newer: Capability, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_capability(monkeypatch, newer)
    pack = decode_pack(PACK)
    decision = decide(pack, "voice.join", TEEN, target=TEEN, relationship="blocked")
    assert decision.effect == ("deny" if newer.between_people else "allow")
    side = Side(
        lower=np.array([TEEN.age.lower], np.int16),
        upper=np.array([TEEN.age.upper], np.int16),
        place=np.zeros(1, np.int16),
        assurance=np.array([ASSURANCES.index(TEEN.age.assurance)], np.int16),
    )
    blocked = np.array([RELATIONSHIPS.index("blocked")], np.int16)
    columns = Columns(places=[""], actor=side, target=side, relationship=blocked)
    decided = decide_columns(pack.ruling, "voice.join", columns)
    assert EFFECTS[decided.effect[0]] == decision.effect, "the engine of columns agrees"


@pytest.mark.parametrize("newer", NEWER, ids=repr)
def test_the_door_says_that_the_name_is_taken(
    newer: Capability, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = check_pack(READ, today=TODAY)
    assert [problem.level for problem in before] == ["notice"], "of what it does not speak"
    begin_capability(monkeypatch, newer)
    (problem,) = set(check_pack(READ, today=TODAY)) - set(before)
    same = newer.kind == PERMISSION and not newer.counterpart
    assert problem.level == ("notice" if same else "error")
    assert "'voice.join'" in problem.text
    assert '[capability."voice.join"]' in PACK["pack.toml"].splitlines()[problem.line - 1]


def test_an_export_is_not_judged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    key = new_signing_key()
    exported = export_pack(PACK, signing_key=key, issued=TODAY, expires=date(2026, 12, 21))
    begin_capability(monkeypatch, Capability("voice.join", AUDIENCE))
    pack = load_pack(exported, key=public_key(key), on=TODAY)
    assert decide(pack, "voice.join", TEEN).effect == "allow"
    with pytest.raises(PackInvalid, match=r"voice\.join"):
        load_pack(READ)


@pytest.mark.parametrize(
    ("old", "new", "capability"),
    [
        ('default = "small"', 'default = "tiny"', "guild.create"),
        ("bounds = [15, 120]", "bounds = [15, 9999]", "session.time"),
        ("bounds = [15, 120]", "bounds = [120, 15]", "session.time"),
        ("default = 60", "default = 600", "session.time"),
    ],
)
def test_a_value_that_is_none_any_more_is_the_most_protective(
    old: str, new: str, capability: str
) -> None:
    files = PACK | {"pack.toml": PACK["pack.toml"].replace(old, new)}
    with pytest.raises(PackInvalid, match=r"error: (?!AU)"):
        read_pack(as_read(files))
    pack = decode_pack(files)
    decision = decide(pack, capability, CHILD, guardian=None)
    assert decision.code == pack.capabilities[capability].kind.strictest_code
    assert decision.effect == "deny"


def test_a_capability_and_a_place_that_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(CAPABILITIES, "live.watch")
    files = PACK | {"overlays/AU.toml": PACK["overlays/AU.toml"].replace('"AU"', '"ZZ"')}
    with pytest.raises(PackInvalid, match="'ZZ' is not an ISO 3166 code"):
        read_pack(files)
    pack = decode_pack(files)
    assert decide(pack, "live.watch", TEEN).effect == "deny"
    assert decide(pack, "voice.join", TEEN).effect == "allow"
    assert decide(pack, "notify.push", Person(CHILD.age, "AU")).effect == "allow"
    assert decide(pack, "notify.push", CHILD).value == "07:00-22:00", "as in any place at all"
