"""`kinward policy check` names what is wrong, with the file and the line."""

from datetime import date

import pytest

from kinward.policy.capabilities import CAPABILITIES
from kinward.policy.check import check_pack
from kinward.policy.places import EEA
from kinward.policy.problems import PackInvalid
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
    assert check_pack(read_files(name), today=TODAY) == []


def test_every_law_has_its_source_and_status() -> None:
    pack = load_pack("teen-accounts")
    laws = [rule for rule in pack.rules if rule.place]
    assert {rule.status for rule in laws} == {"in force", "pending", "enjoined"}
    assert all(rule.source and rule.url and rule.starts != date.min for rule in laws)
    places = {rule.place for rule in laws}
    named = {"US", "US-VA", "US-CA", "US-UT", "US-TX", "GB", "AU", "BR", "IN", "KR", "CN", "EU"}
    assert places == named | EEA
    assert len(EEA) == 30


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
        assert found.startswith("overlays/JP.toml:3: notice: law")
        assert what in found


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
    from kinward.policy.ages import AgeRange
    from kinward.policy.engine import decide
    from kinward.policy.question import Person

    pack = load_pack({"pack.toml": HEADER + own + EVERYTHING})
    person = Person(AgeRange(15, 16))
    assert decide(pack, "guild.create", person, guardian="off").effect == "deny"
    sentence = decide(pack, "guild.create", person).sentence("de")
    assert sentence.startswith("Eine Gilde gründen: small.")
    assert decide(pack, "guild.create", person).sentence("sv").startswith("Creating a guild")


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
