"""`kinward policy check` names what is wrong, with the file and the line."""

import re
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from kinward.cli import policy as commands
from kinward.policy import check
from kinward.policy.ages import AgeRange
from kinward.policy.capabilities import CAPABILITIES
from kinward.policy.check import check_pack
from kinward.policy.engine import decide
from kinward.policy.explain import explain_decision
from kinward.policy.law import laws_of, stale_readings
from kinward.policy.listing import list_places
from kinward.policy.pack import decode_pack
from kinward.policy.places import EEA
from kinward.policy.problems import PackInvalid
from kinward.policy.question import Person
from kinward.policy.signed import load_pack
from kinward.policy.sources import read_files, shipped_packs

TODAY = date(2026, 11, 21)
HEADER = """name = "own"
version = "1"
date = 2026-11-21
"""
EVERYTHING = """
[[rule]]
id = "everything"
capability = [{names}]
default = "unrestricted"
may = ["self"]
source = "a test"
""".format(names=", ".join(f'"{name}"' for name in CAPABILITIES))
OWN = """
[capability."guild.create"]
type = "level"
levels = {levels}
[capability."guild.create".name]
en = "Creating a guild"
"""
RULE = """
[[rule]]
id = "one"
capability = "session.time"
age = [13, 16]
default = 60
bounds = [15, 120]
may = ["guardian"]
source = "a test"
"""


def said(text: str, **overlays: str) -> list[str]:
    """What is wrong with a pack of one file, and overlays."""
    files = {f"overlays/{name.replace('_', '-')}.toml": each for name, each in overlays.items()}
    files |= {"pack.toml": text, "tests.toml": ""}
    return [str(problem) for problem in check_pack(files, today=TODAY)]


@pytest.mark.parametrize("name", shipped_packs())
def test_what_we_ship_has_nothing_wrong(name: str) -> None:
    problems = check_pack(read_files(name), today=TODAY)
    waits = "is off until somebody verifies its status"
    assert [problem for problem in problems if waits not in problem.text] == []


def test_every_law_has_its_source_its_status_and_its_reading() -> None:
    pack = load_pack("teen-accounts")
    laws = list(laws_of(pack))
    assert {law.status for law in laws} == {"in force", "pending", "enjoined", "lapsed", "verify"}
    assert all(law.source and law.url for law in laws)
    unread = {law for law in laws if not law.checked}
    assert {law.place for law in unread} == {"CN", "KR"}
    assert {law.status for law in unread} == {"verify"}, "what nobody has read is not applied"
    assert not [law for law in laws if "Nobody has read" in law.note and law not in unread]
    undated = {law.id for law in laws if law.starts == date.min}
    assert {law.status for law in laws if law.id in undated} == {"pending", "verify", "lapsed"}
    named = {"US-AL", "US-CA", "US-LA", "US-NY", "US-TX", "US-UT", "US-VA", "US", "GB", "EU"}
    named |= {"AU", "BR", "CN", "ID", "IN", "KR", "MY"}
    assert set(pack.places) == named | EEA
    assert len(EEA) == 30
    raw = [(file, text) for file, text in pack.files.items() if file.startswith("overlays/")]
    unchecked = [file for file, text in raw if not re.search(r"(?m)^checked = 20", text)]
    assert unchecked == ["overlays/CN.toml", "overlays/KR.toml"]


def test_a_sound_pack() -> None:
    assert said(HEADER + RULE + EVERYTHING) == []


MISTAKES = [
    (RULE.replace("= 60", "= 10"), 9, "outside its bounds, 15 to 120"),
    (RULE.replace("= 60", '= "lots"'), 9, "'lots' is not minutes a day"),
    (RULE.replace("[15, 120]", "[120, 15]"), 10, "from the most protective to the loosest"),
    (RULE.replace("[15, 120]", "[15]"), 10, "bounds are [most protective, loosest]"),
    (RULE.replace("session.time", "session.tim"), 7, "unknown capability 'session.tim'"),
    (RULE.replace("[13, 16]", "[16, 13]"), 8, "age is [from, below] in years"),
    (RULE.replace("[13, 16]", "[-1, 13]"), 8, "age is [from, below] in years"),
    (RULE.replace("may =", "mau ="), 11, "unknown key 'mau'"),
    (RULE.replace('["guardian"]', '["teacher"]'), 11, "may is a list of guardian, self"),
    (RULE.replace('["guardian"]', '"guardian"'), 11, "may is a list of guardian, self"),
    (RULE.replace('capability = "session.time"\n', ""), 5, "a rule names its capability"),
    (RULE.replace('"session.time"', "[]"), 7, "a rule names its capability"),
    (RULE + 'obligations = "blur"\n', 13, "obligations are a list of names"),
    (RULE + "obligations = [7]\n", 13, "obligations are a list of names"),
    (RULE + 'obligations = ["Blur it"]\n', 13, "obligations are a list of names"),
    (RULE + 'joined_from = "soon"\n', 13, "`joined_from` is a date"),
    (RULE + "other_age = [18]\n", 13, "other_age is [from, below] in years"),
    (RULE.replace('source = "a test"', ""), 5, "a rule names its source"),
    (RULE.replace('"one"', '"One rule"'), 6, "a rule has an id"),
    (RULE + 'jurisdiction = "Narnia"\n', 13, "'Narnia' is not an ISO 3166 code"),
    (RULE + 'jurisdiction = "AU"\n', 5, "a law has a `url` and a date"),
    (RULE + 'relationship = ["nemesis"]\n', 13, "relationship is a list of family"),
    (RULE + 'assurance_below = "sworn"\n', 13, "assurance_below is one of declared"),
    (RULE + 'status = "maybe"\n', 13, "status is one of in force"),
    (RULE + "from = 2026-01-01\nuntil = 2025-01-01\n", 13, "the first before the last"),
    (RULE + "until = 2020-01-01\n", 5, "can never apply: it ended on 2020-01-01"),
    (RULE + RULE, 14, "the id 'one' is taken by pack.toml:5"),
    (
        RULE + RULE.replace('"one"', '"two"').replace("[15, 120]", "[1, 10]").replace("60", "5"),
        14,
        "contradict those of one (pack.toml:5)",
    ),
    ("\n[[rule]\n", 5, "this is not TOML"),
    ('\n[capability."guild"]\ntype = "permission"\n', 5, "not of the form"),
    ('\n[capability."guild.create"]\ntype = "colour"\n', 5, "its type is one of"),
    ('\n[capability."guild.create"]\ntype = "permission"\n', 5, "needs its words"),
    (OWN.format(levels=["one"]), 5, "levels are 2 to 16 different words"),
    (OWN.format(levels=["one", "one"]), 5, "levels are 2 to 16 different words"),
    (OWN.format(levels=[f"l{n}" for n in range(17)]), 5, "levels are 2 to 16 different words"),
]


@pytest.mark.parametrize(("text", "line", "what"), MISTAKES, ids=[each[2] for each in MISTAKES])
def test_a_mistake_is_named_with_its_line(text: str, line: int, what: str) -> None:
    found = said(HEADER + text + ("" if "[[rule]\n" in text else EVERYTHING))
    assert any(f"pack.toml:{line}: error: " in each and what in each for each in found), found


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ('name = "Own"\nversion = "1"\ndate = 2026-11-21\n', "the header needs a name"),
        ('name = "own"\ndate = 2026-11-21\n', "the header needs a version"),
        ('name = "own"\nversion = "1"\n', "the header needs the pack's date"),
        (HEADER + "colour = 1\n", "unknown key 'colour' in the header"),
        (HEADER + 'overlays = ["XX"]\n', "there is no overlay 'XX'"),
        (HEADER + "overlays = 7\n", "there is no overlay 7"),
        (HEADER + 'elsewhere = "nowhere"\n', "elsewhere is one of baseline, protective"),
        (HEADER + 'operates_in = ["JP"]\n', "the platform operates in JP, and no overlay"),
        (HEADER + 'operates_in = ["Narnia"]\n', "'Narnia' is not an ISO 3166 code"),
    ],
)
def test_a_header_that_is_wrong(header: str, what: str) -> None:
    assert any(what in each for each in said(header + EVERYTHING))


def test_ages_that_nobody_covers() -> None:
    found = said(
        HEADER + RULE.replace("[13, 16]", "[0, 18]") + EVERYTHING.replace("session.time", "x")
    )
    assert any("unknown capability" in each for each in found)
    found = said(HEADER + RULE + EVERYTHING.replace(', "session.time"', ""))
    assert [each for each in found if "session.time" in each] == [
        "pack.toml:5: error: session.time: no rule of the platform says what holds for ages "
        "0 to below 13",
        "pack.toml:5: error: session.time: no rule of the platform says what holds for ages "
        "16 to below 150",
    ]


def test_a_rule_that_never_decides() -> None:
    idle = RULE.replace('"one"', '"idle"').replace("60", "100")
    assert said(HEADER + RULE + idle + EVERYTHING) == [
        "pack.toml:14: notice: idle never decides session.time: stricter rules cover all it covers"
    ]


def test_laws_that_wait() -> None:
    law = """title = "a test"
jurisdiction = "JP"
checked = 2026-11-20
[[rule]]
id = "law"
capability = "session.time"
default = 60
source = "a law"
url = "https://law.example"
from = 2026-01-01
status = "{status}"
"""
    text = HEADER + 'overlays = ["JP"]\n' + EVERYTHING
    assert said(text, JP=law.format(status="in force")) == []
    for status, what in (("pending", "has come: check"), ("verify", "until somebody verifies")):
        (found,) = said(text, JP=law.format(status=status))
        assert found.startswith("overlays/JP.toml:4: notice: law")
        assert what in found


LAW = """title = "a test"
jurisdiction = "JP"
checked = 2026-11-20
[[rule]]
id = "law"
capability = "session.time"
default = 60
source = "a law"
url = "https://law.example"
from = 2026-01-01
"""
DUTY = """[[duty]]
id = "figures"
what = "Report figures."
source = "a law"
url = "https://law.example"
status = "in force"
from = 2026-01-01
"""
OVERLAID = HEADER + 'overlays = ["JP"]\n' + EVERYTHING


def test_a_law_that_nobody_says_to_have_read_is_an_error() -> None:
    assert said(OVERLAID, JP=LAW) == []
    for unread in (LAW.replace("checked = 2026-11-20\n", ""), LAW.replace("2026-11-20", '"soon"')):
        (found,) = said(OVERLAID, JP=unread)
        assert "error: JP: say when somebody last read this law" in found
    (found,) = said(OVERLAID, JP=LAW.replace("checked = 2026-11-20\n", "") + DUTY)
    assert "error: JP: say when" in found
    own = RULE + 'jurisdiction = "AU"\nurl = "https://law.example"\nfrom = 2026-01-01\n'
    (found,) = said(HEADER + own + EVERYTHING)
    assert found.startswith("pack.toml:5: error: one: say when somebody last read this law")
    assert said(HEADER + own + "checked = 2026-11-20\n" + EVERYTHING) == []


def test_the_command_fails_on_each_overlay_that_does_not_say_when_it_was_read(
    tmp_path: Path,
) -> None:
    shipped = read_files("teen-accounts")
    laws = list(laws_of(load_pack("teen-accounts")))
    # Nothing of these is applied until somebody verifies it. They may be texts that nobody read.
    waiting = {law.file for law in laws} - {law.file for law in laws if law.status != "verify"}
    names = {file[9:-5] for file in waiting}
    assert names == {"CN", "DK", "ES", "FR", "GR", "KR", "US-NY"}
    for file, text in shipped.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    run("check", str(tmp_path))
    for file, text in shipped.items():
        without = re.sub(r"(?m)^checked = .*\n", "", text)
        if not file.startswith("overlays/") or file in waiting:
            continue
        (tmp_path / file).write_text(without)
        output = run("check", str(tmp_path), status=1)
        assert f"error: {file[9:-5]}: say when somebody last read this law" in output
        (tmp_path / file).write_text(text)


def test_a_law_that_nobody_has_read_for_long_is_named() -> None:
    days = {90: 0, 91: 1}
    for after, count in days.items():
        files = {"pack.toml": OVERLAID, "tests.toml": "", "overlays/JP.toml": LAW + DUTY}
        found = check_pack(files, today=date(2026, 11, 20) + timedelta(days=after))
        assert len(found) == count, after
    assert str(found[0]) == (
        "overlays/JP.toml:1: notice: JP was last read on 2026-11-20, 91 days ago: read it again"
    )
    older = LAW + "checked = 2026-01-01\n" + DUTY
    (found_one,) = said(OVERLAID, JP=older)
    assert "notice: law of JP was last read on 2026-01-01, 324 days ago" in found_one
    (found_one,) = said(OVERLAID, JP=LAW.replace("2026-11-20", "2036-11-20"))
    assert "error: JP cannot have been read on 2036-11-20" in found_one


def test_what_we_ship_is_named_overlay_by_overlay_91_days_later() -> None:
    pack = load_pack("teen-accounts")
    checked = {law.checked for law in laws_of(pack) if law.checked}
    assert stale_readings(pack, min(checked) + timedelta(days=90)) == []
    late = {reading.name for reading in stale_readings(pack, max(checked) + timedelta(days=91))}
    names = {file[9:-5] for file in pack.files if file.startswith("overlays/")}
    assert late >= names - {"CN", "KR"}, "these two have no reading that could grow old"
    assert check_pack(pack.files, today=max(checked) + timedelta(days=91))


def test_the_command_names_each_law_91_days_later(monkeypatch: pytest.MonkeyPatch) -> None:
    newest = max(law.checked for law in laws_of(load_pack("teen-accounts")) if law.checked)
    monkeypatch.setattr(commands, "today", lambda: newest)
    assert "read it again" not in run("check", "teen-accounts")
    monkeypatch.setattr(commands, "today", lambda: newest + timedelta(days=91))
    output = run("check", "teen-accounts")
    for name in ("US-TX", "US-LA", "AU", "EEA"):
        assert f"notice: {name} was last read on 2026-11-2" in output


def test_the_command_lists_the_places() -> None:
    output = run("places", "teen-accounts")
    row = next(line for line in output.splitlines() if "Fifth Circuit" in line)
    for said_of_texas in ("`account.join`", "deny, moved by guardian", "2026-05-28", "2026-11-25"):
        assert said_of_texas in row
    assert "## US-NY" in output


@pytest.mark.parametrize(
    ("law", "says"),
    [
        ("", ("in force", "in force")),
        ('status = "pending"\n', ("pending", "pending")),  # its day has come, and nobody checked
        ('status = "enjoined"\n', ("enjoined", "enjoined, not applied")),
        ('status = "verify"\n', ("verify", "not applied until somebody verifies it")),
        ("until = 2026-11-21\n", ("lapsed", "lapsed, not applied")),
        ("until = 2026-11-22\n", ("in force", "in force")),
    ],
)
def test_the_list_says_of_each_law_whether_it_holds(law: str, says: tuple[str, str]) -> None:
    text = LAW + law
    (row,) = list_places(decode_pack({"pack.toml": OVERLAID, "overlays/JP.toml": text}), TODAY)
    assert (row.standing, row.status) == says
    assert row.since == "2026-01-01"
    if "pending" in law:
        files = {"pack.toml": OVERLAID, "overlays/JP.toml": text.replace("from = 2026-01-01\n", "")}
        (row,) = list_places(decode_pack(files), TODAY)
        assert (row.since, row.status) == ("", "pending, its day is not known, not applied")


def run(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(commands.policy, arguments)
    assert result.exit_code == status, result.output
    return result.output


@pytest.mark.parametrize(
    ("duty", "what"),
    [
        (DUTY.replace('what = "Report figures."\n', ""), "a duty has its what"),
        (DUTY.replace('"in force"', '"maybe"'), "the status of a duty is one of in force"),
        (DUTY.replace("from =", "form ="), "unknown key 'form' in a duty"),
        (DUTY.replace("2026-01-01", '"soon"'), "`from` and `until` of a duty are dates"),
        (DUTY + 'jurisdiction = "Narnia"\n', "the jurisdiction of a duty is an ISO 3166 code"),
        (DUTY.replace("from = 2026-01-01\n", ""), "a law has a `url` and a date"),
        (DUTY.replace('url = "https:', 'url = "javascript:'), "begins with https"),
        (DUTY.replace('url = "https:', 'url = " https:'), "begins with https"),
        ("[duty]\nid = 1\n", "duties are tables"),
    ],
)
def test_a_duty_that_is_wrong(duty: str, what: str) -> None:
    (found,) = said(OVERLAID, JP=LAW + duty)
    assert what in found
    files = {"pack.toml": OVERLAID, "overlays/JP.toml": LAW + duty}
    assert decode_pack(files).rules, "no decision rests on a duty"


def test_a_pending_law_holds_from_its_day_on_in_format_2() -> None:
    pending = LAW.replace("from = 2026-01-01", 'from = 2027-01-01\nstatus = "pending"')
    undated = LAW.replace("from = 2026-01-01", 'status = "pending"')
    for number, law, later in ((2, pending, 60), (1, pending, 1440), (2, undated, 1440)):
        text = OVERLAID.replace('name = "own"', f'format = {number}\nname = "own"')
        pack = decode_pack({"pack.toml": text, "overlays/JP.toml": law})
        person = Person(AgeRange(15, 16), "JP")
        values = [
            decide(pack, "session.time", person, at=datetime(*day, 12)).value
            for day in ((2026, 12, 31), (2027, 1, 1))
        ]
        assert values == [1440, later], (number, law)


def test_a_law_about_newer_accounts() -> None:
    law = LAW + "joined_from = 2026-06-01\n"
    pack = load_pack({"pack.toml": OVERLAID, "overlays/JP.toml": law})
    for joined, value in ((None, 60), (date(2026, 6, 1), 60), (date(2026, 5, 31), 1440)):
        person = Person(AgeRange(15, 16), "JP", joined=joined)
        assert decide(pack, "session.time", person).value == value
        explained = explain_decision(pack, "session.time", person)["layers"][1]["rules"][0]["why"]
        newer = "it is for accounts that joined on 2026-06-01 or later"
        assert explained == (newer if value == 1440 else "its conditions could hold")


def test_what_a_pack_does_not_speak_of_is_unknown_to_it_and_named() -> None:
    text = HEADER + EVERYTHING.replace(', "feed.endless"', "").replace(', "dm.receive"', "")
    found = said(text)
    assert "dm.receive: no rule of the platform says" in found[0]
    assert "no rule speaks of these, so they are denied: feed.endless" in found[1]
    pack = decode_pack({"pack.toml": text})
    decision = decide(pack, "feed.endless", Person(AgeRange(30, 31)))
    assert [reason.code for reason in decision.reasons] == [
        "state.unavailable",
        "capability.unknown",
    ]
    adult = Person(AgeRange(30, 31))
    assert decide(pack, "dm.send", adult, target=adult).effect == "deny", "nobody is asked"


def test_a_test_that_fails_and_one_that_is_none() -> None:
    files = read_files("tiktok-2021")
    wrong = files["tests.toml"].replace('value = "private"', 'value = "public"')
    found = [str(each) for each in check_pack(files | {"tests.toml": wrong}, today=TODAY)]
    assert len(found) == 3
    assert found[0].startswith("tests.toml:3: error: 13 to 15: a private account by default: ")
    assert "profile.private at 13 is value 'private', not 'public'" in found[0]
    for bad in ("ages = [15]", 'capability = "dm.send"\nexpect = {}', "surprise = 1"):
        (found_one,) = check_pack(files | {"tests.toml": f"[[test]]\n{bad}\n"}, today=TODAY)
        assert "this is not a test" in found_one.text
        assert found_one.line == 1


def test_own_capabilities_decide_like_the_others() -> None:
    own = """
[capability."guild.create"]
type = "level"
levels = ["off", "small", "large"]
[capability."guild.create".name]
en = "Creating a guild"
de = "Eine Gilde gründen"
[[rule]]
id = "guilds"
capability = "guild.create"
default = "small"
bounds = ["off", "small"]
may = ["guardian"]
source = "a test"
"""
    pack = load_pack({"pack.toml": HEADER + own + EVERYTHING})
    person = Person(AgeRange(15, 16))
    assert decide(pack, "guild.create", person, guardian="off").effect == "deny"
    sentence = decide(pack, "guild.create", person).sentence("de")
    assert sentence.startswith("Eine Gilde gründen: small.")
    assert decide(pack, "guild.create", person).sentence("sv").startswith("Creating a guild")


def test_a_pack_of_as_many_levels_and_tests_as_there_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for levels in (["off", "on"], [f"l{number}" for number in range(16)]):
        own = OWN.format(levels=levels)
        names = EVERYTHING.replace("capability = [", 'capability = ["guild.create", ')
        pack = decode_pack({"pack.toml": HEADER + own + names})
        assert list(pack.capabilities["guild.create"].kind.words) == levels
    files = read_files("tiktok-2021")
    tests = files["tests.toml"].count("[[test]]")
    monkeypatch.setattr(check, "MAX_TESTS", tests)
    assert not [each for each in check_pack(files, today=TODAY) if each.file == "tests.toml"]
    monkeypatch.setattr(check, "MAX_TESTS", tests - 1)
    (problem,) = [each for each in check_pack(files, today=TODAY) if each.file == "tests.toml"]
    assert problem.text == f"tests are at most {tests - 1} tables [[test]]"


def test_size_has_bounds() -> None:
    with pytest.raises(PackInvalid, match="letters"):
        load_pack({"pack.toml": "#" * 600_000})
    with pytest.raises(PackInvalid, match="at most"):
        load_pack({f"overlays/{number}.toml": "" for number in range(300)} | {"pack.toml": ""})
    with pytest.raises(PackInvalid, match=r"A pack is a pack\.toml"):
        load_pack({"overlays/DE.toml": ""})
    with pytest.raises(PackInvalid, match="There is no pack"):
        load_pack("none-such")
    with pytest.raises(PackInvalid, match=r"nested too deeply|this is not TOML"):
        load_pack({"pack.toml": "a = " + "[" * 100_000})
