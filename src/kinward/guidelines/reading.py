"""The door for a document of guidelines: its form, then all that today's rules ask. Pure.

What is stored is never judged again: `formats.decode` reads it.

What must never happen is checked here as well: nothing final follows from a finding alone, unless
it is an exact match with a verified bank.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Final, get_args

import msgspec

from kinward.ground.errors import KinwardError
from kinward.guidelines.dsa import DSA_CATEGORIES, DSA_KEYWORDS
from kinward.guidelines.rules import (
    CATEGORIES,
    MATCHES,
    Clause,
    Confidence,
    FindingRule,
    Guidelines,
    Silence,
    Step,
)
from kinward.policy import (
    CAPABILITIES,
    LANGUAGES,
    PackInvalid,
    Problem,
    check_size,
    line_of,
    parse,
    tables,
)

FILE: Final = "guidelines.toml"
MAX_CLAUSES: Final = 200
MAX_RULES: Final = 200
MAX_TITLE: Final = 120
MAX_TEXT: Final = 2000
LONGEST: Final = 3650  # days
_CODE: Final = re.compile(r"[A-Z]{2,4}-[0-9]{1,3}")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,58}")
_VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,38}")
_CAPABILITY: Final = re.compile(r"[a-z]+(\.[a-z_]+)+")
NAME_HAS: Final = "small letters, digits and hyphens, at most 59"


class GuidelinesInvalid(KinwardError):
    """These guidelines cannot be used."""

    code = "guidelines.invalid"
    status = 422

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(map(str, self.problems)))


@cache
def shipped() -> str:
    """The document that Kinward begins with."""
    return files("kinward.guidelines").joinpath("community.toml").read_text(encoding="utf-8")


def read_guidelines(text: str) -> Guidelines:
    """Read a new document. Raises `GuidelinesInvalid` with a line for each error."""
    found = _read(text)
    errors = [each for each in _problems(found, _Lines(text)) if each.level == "error"]
    if errors:
        raise GuidelinesInvalid(errors)
    return found


def guidelines_notices(text: str) -> list[Problem]:
    """Everything that is wrong with a document or worth a second look; empty when nothing is."""
    try:
        return sorted(_problems(_read(text), _Lines(text)))
    except GuidelinesInvalid as error:
        return error.problems


def _read(text: str) -> Guidelines:
    try:
        check_size(FILE, text)
        return msgspec.convert(parse(FILE, text), Guidelines)
    except PackInvalid as error:
        raise GuidelinesInvalid(error.problems) from error
    except msgspec.ValidationError as error:
        raise GuidelinesInvalid([_Lines(text).of_path(str(error))]) from error


class _Lines:
    """Where things stand in a document, so that a complaint can name its line."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tables = {
            name: list(tables(text, name)) for name in ("finding", "clause", r"strikes\.step")
        }

    def at(self, table: str, number: int, key: str, level: str, said: str) -> Problem:
        """A complaint about a key of the so-manieth `[[table]]`."""
        there = self._tables[table]
        line, keys = there[number] if number < len(there) else (1, {})
        return Problem(FILE, keys.get(key, line), "error" if level == "error" else "notice", said)

    def top(self, key: str, said: str) -> Problem:
        """A complaint about a key at the top."""
        return Problem(FILE, line_of(self._text, key), "error", said)

    def of_path(self, said: str) -> Problem:
        r"""A complaint of msgspec's, such as ``Expected `int` - at `$.clause[2].days` ``."""
        for table, path in (("strikes\\.step", "strikes.step"), ("finding",) * 2, ("clause",) * 2):
            if found := re.search(rf"\$\.{re.escape(path)}\[(\d+)\](?:\.(\w+))?", said):
                return self.at(table, int(found[1]), found[2] or "", "error", said)
        return Problem(FILE, 1, "error", said)


def _problems(found: Guidelines, lines: _Lines) -> Iterator[Problem]:
    if not _NAME.fullmatch(found.name):
        yield lines.top("name", f"a name has {NAME_HAS}")
    if not _VERSION.fullmatch(found.version):
        yield lines.top("version", "a version has letters, digits, dots and hyphens, at most 39")
    for key in ("appeal_days", "appeal_answer_days"):
        if not 1 <= getattr(found, key) <= LONGEST:
            yield lines.top(key, f"{key} is from 1 to {LONGEST}")
    if len(found.clause) > MAX_CLAUSES or len(found.finding) > MAX_RULES:
        yield lines.top("name", f"at most {MAX_CLAUSES} clauses and {MAX_RULES} rules")
        return
    for number, rule in enumerate(found.finding):
        yield from _rule(found, rule, number, lines)
    yield from _twice("finding", [each.id for each in found.finding], "id", lines)
    yield from _uncovered(found, lines)
    yield from _steps(found, lines)
    if not found.clause:
        yield lines.top("name", "there is no clause")
    for number, clause in enumerate(found.clause):
        yield from _clause(clause, number, lines)
    yield from _twice("clause", [each.code for each in found.clause], "code", lines)
    for language, codes in untranslated(found).items():
        said = f"what is missing in {language!r} is read in English: {', '.join(codes)}"
        first = next(n for n, clause in enumerate(found.clause) if clause.code == codes[0])
        yield lines.at("clause", first, "code", "notice", said)


def untranslated(guidelines: Guidelines) -> dict[str, list[str]]:
    """The clauses that lack a title or a text, by language. People then read the English."""
    missing = {
        language: [
            clause.code
            for clause in guidelines.clause
            if not (
                clause.title.get(language, "").strip() and clause.text.get(language, "").strip()
            )
        ]
        for language in LANGUAGES
        if language != "en"
    }
    return {language: codes for language, codes in missing.items() if codes}


def _twice(table: str, names: list[str], key: str, lines: _Lines) -> Iterator[Problem]:
    for number, name in enumerate(names):
        if name in names[:number]:
            yield lines.at(table, number, key, "error", f"{name} is there twice")


def _rule(found: Guidelines, rule: FindingRule, number: int, lines: _Lines) -> Iterator[Problem]:
    unknown = set(rule.categories) - set(CATEGORIES)
    reported, sure = rule.confidence == "reported", rule.confidence == "verified"
    faults = (
        (not _NAME.fullmatch(rule.id), "id", f"an id has {NAME_HAS}"),
        (
            not 1 <= rule.within_hours <= 24 * LONGEST,
            "within_hours",
            f"within_hours is from 1 to {24 * LONGEST}",
        ),
        (unknown, "categories", f"unknown: {', '.join(unknown)}. Known: {', '.join(CATEGORIES)}"),
        (reported and rule.exact is not None, "exact", "a report by a person is never exact"),
        (
            reported and (rule.content != "keep" or rule.account != "keep"),
            "content",
            "a report by a person never acts by itself",
        ),
        (
            not reported and rule.categories,
            "categories",
            "only reports by people have categories",
        ),
        (
            not sure and rule.account != "keep",
            "account",
            "nobody is suspended for a match with an unverified bank alone",
        ),
        (
            rule.verdict and not (sure and rule.exact),
            "verdict",
            "only an exact match with a verified bank is a verdict",
        ),
        (
            rule.verdict and rule.verdict not in found.clauses,
            "verdict",
            f"there is no clause {rule.verdict}",
        ),
        *_silence(rule.silence),
    )
    yield from _those(faults, "finding", number, lines)


def _those(
    faults: Iterable[tuple[object, str, str]], table: str, number: int, lines: _Lines
) -> Iterator[Problem]:
    for wrong, key, said in faults:
        if wrong:
            yield lines.at(table, number, key, "error", said)


def _silence(silence: Silence | None) -> Iterator[tuple[bool, str, str]]:
    if silence is not None:
        yield not 1 <= silence.days <= LONGEST, "silence", f"silence.days is from 1 to {LONGEST}"
        unsaid = not silence.why.strip() or len(silence.why) > MAX_TITLE
        yield unsaid, "silence", f"a silence says why, in at most {MAX_TITLE} letters"


def _uncovered(found: Guidelines, lines: _Lines) -> Iterator[Problem]:
    """Findings for which no rule says anything."""
    kinds: list[tuple[Confidence, bool, str]] = [
        *((confidence, exact, "") for confidence in MATCHES for exact in (True, False)),
        *(("reported", False, category) for category in CATEGORIES),
        *((name, False, "") for name in get_args(Confidence) if name not in (*MATCHES, "reported")),
    ]
    for confidence, exact, category in kinds:
        if not any(
            rule.confidence == confidence
            and rule.exact in (None, exact)
            and (not rule.categories or category in rule.categories)
            for rule in found.finding
        ):
            what = f"a report of {category!r}" if category else f"a {confidence} finding"
            if confidence in MATCHES:
                what = f"a {confidence} match"
            yield lines.top("name", f"no [[finding]] says what follows from {what}")


def _steps(found: Guidelines, lines: _Lines) -> Iterator[Problem]:
    strikes = found.strikes
    if not 1 <= strikes.decay_days <= LONGEST:
        yield lines.top("name", f"decay_days is from 1 to {LONGEST}")
    if not strikes.step:
        yield lines.top("name", "there is no [[strikes.step]]")
    for number, step in enumerate(strikes.step):
        yield from _outcome(step, "strikes\\.step", number, lines)
        if step.at < 1:
            yield lines.at("strikes\\.step", number, "at", "error", "at is 1 or more")
    for number, (earlier, later) in enumerate(pairwise(strikes.step), 1):
        if later.at <= earlier.at:
            yield lines.at("strikes\\.step", number, "at", "error", "steps go upwards")


def _outcome(of: Step | Clause, table: str, number: int, lines: _Lines) -> Iterator[Problem]:
    """What is said of an account: restricting names what, only some of it has days."""
    faults = (
        (
            (of.account == "restrict") != bool(of.capabilities),
            "capabilities",
            "`restrict`, and only that, names capabilities",
        ),
        (not 0 <= of.days <= LONGEST, "days", f"days are from 0 to {LONGEST}"),
        (
            of.days and of.account not in ("restrict", "suspend"),
            "days",
            "only `restrict` and `suspend` have days",
        ),
        *(
            (
                not _CAPABILITY.fullmatch(name) or len(name) > 80,
                "capabilities",
                f"{name[:80]!r} is not a capability",
            )
            for name in of.capabilities
        ),
    )
    yield from _those(faults, table, number, lines)
    for name in filter(_CAPABILITY.fullmatch, set(of.capabilities) - set(CAPABILITIES)):
        said = f"{name[:80]} is no capability of Kinward's: your pack must have it"
        yield lines.at(table, number, "capabilities", "notice", said)


def _clause(clause: Clause, number: int, lines: _Lines) -> Iterator[Problem]:
    faults = (
        (
            not _CODE.fullmatch(clause.code),
            "code",
            "a code has two to four capitals, a hyphen and a number: CS-1",
        ),
        (
            (clause.account is None) == (clause.strikes == 0),
            "account",
            "a clause has either `account` or `strikes`",
        ),
        (not 0 <= clause.strikes <= 100, "strikes", "strikes are from 0 to 100"),
        (
            clause.report and clause.content == "keep",
            "report",
            "what is reported is also removed",
        ),
        (
            clause.block_registration and clause.account != "terminate",
            "block_registration",
            "only who lost the account is kept from a new one",
        ),
        (
            clause.dsa and clause.dsa.category not in DSA_CATEGORIES,
            "dsa",
            f"dsa.category is one of {', '.join(DSA_CATEGORIES)}",
        ),
        (
            clause.dsa and set(clause.dsa.keywords) - set(DSA_KEYWORDS),
            "dsa",
            f"dsa.keywords are among {', '.join(DSA_KEYWORDS)}",
        ),
        *_silence(clause.silence),
        *_texts("title", clause.title, MAX_TITLE),
        *_texts("text", clause.text, MAX_TEXT),
    )
    yield from _those(faults, "clause", number, lines)
    yield from _outcome(clause, "clause", number, lines)
    if clause.report and clause.account != "terminate":
        said = f"{clause.code} is reported to an authority, and the account goes on"
        yield lines.at("clause", number, "report", "notice", said)


def _texts(name: str, texts: dict[str, str], limit: int) -> Iterator[tuple[object, str, str]]:
    unknown = set(texts) - set(LANGUAGES)
    yield unknown, "code", f"{name}: {', '.join(unknown)} is not one of {', '.join(LANGUAGES)}"
    yield not texts.get("en", "").strip(), "code", f"{name} is missing in 'en'"
    for language, words in texts.items():
        said = f"{name} in {language[:20]!r} has at most {limit} letters"
        yield len(words.strip()) > limit, "code", said
