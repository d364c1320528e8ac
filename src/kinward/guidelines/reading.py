"""The door for new guidelines: check a document's form, then hold it to today's rules. Pure.

A stored document is never judged again: `formats.decode` reads it.

The most important check is here, too. A finding alone has no final consequence, unless it is an
exact match with a verified bank.
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
    BY_PEOPLE,
    CATEGORIES,
    MATCHES,
    Clause,
    Confidence,
    FindingRule,
    Guidelines,
    Silence,
    Step,
    Strikes,
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
LONGEST_SILENCE: Final = 90  # days; a longer one takes a legal order and two people, case by case
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
    """Return the document that Kinward ships with."""
    return files("kinward.guidelines").joinpath("community.toml").read_text(encoding="utf-8")


def read_guidelines(text: str) -> Guidelines:
    """Read a new document. Raises `GuidelinesInvalid` with a line for each error."""
    guidelines = _read(text)
    problems = _problems(guidelines, _Lines(text))
    errors = [problem for problem in problems if problem.level == "error"]
    if errors:
        raise GuidelinesInvalid(errors)
    return guidelines


def guidelines_notices(text: str) -> list[Problem]:
    """List every error in a document, and every notice for a second look."""
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
    """The lines of a document's tables and keys, so that a problem can name its line."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tables = {
            name: list(tables(text, name)) for name in ("finding", "clause", r"strikes\.step")
        }

    def at(self, table: str, number: int, key: str, level: str, text: str) -> Problem:
        """Return a problem at a key of the nth `[[table]]`, counted from 0."""
        positions = self._tables[table]
        line, keys = positions[number] if number < len(positions) else (1, {})
        return Problem(FILE, keys.get(key, line), "error" if level == "error" else "notice", text)

    def top(self, key: str, text: str) -> Problem:
        """Return an error at a key above all tables."""
        return Problem(FILE, line_of(self._text, key), "error", text)

    def of_path(self, text: str) -> Problem:
        r"""Locate an error of msgspec, such as ``Expected `int` - at `$.clause[2].days` ``."""
        for table, path in (("strikes\\.step", "strikes.step"), ("finding",) * 2, ("clause",) * 2):
            if match := re.search(rf"\$\.{re.escape(path)}\[(\d+)\](?:\.(\w+))?", text):
                return self.at(table, int(match[1]), match[2] or "", "error", text)
        return Problem(FILE, 1, "error", text)


def _problems(guidelines: Guidelines, lines: _Lines) -> Iterator[Problem]:
    if not _NAME.fullmatch(guidelines.name):
        yield lines.top("name", f"a name has {NAME_HAS}")
    if not _VERSION.fullmatch(guidelines.version):
        yield lines.top("version", "a version has letters, digits, dots and hyphens, at most 39")
    for key in ("appeal_days", "appeal_answer_days"):
        if not 1 <= getattr(guidelines, key) <= LONGEST:
            yield lines.top(key, f"{key} is from 1 to {LONGEST}")
    if len(guidelines.clause) > MAX_CLAUSES or len(guidelines.finding) > MAX_RULES:
        yield lines.top("name", f"at most {MAX_CLAUSES} clauses and {MAX_RULES} rules")
        return
    for number, rule in enumerate(guidelines.finding):
        yield from _rule(guidelines, rule, number, lines)
    yield from _twice("finding", [rule.id for rule in guidelines.finding], "id", lines)
    yield from _uncovered(guidelines, lines)
    yield from _steps(guidelines.strikes, lines)
    if not guidelines.clause:
        yield lines.top("name", "there is no clause")
    for number, clause in enumerate(guidelines.clause):
        yield from _clause(clause, number, lines)
    yield from _twice("clause", [clause.code for clause in guidelines.clause], "code", lines)
    for language, codes in untranslated(guidelines).items():
        text = f"what is missing in {language!r} is read in English: {', '.join(codes)}"
        first = next(n for n, clause in enumerate(guidelines.clause) if clause.code == codes[0])
        yield lines.at("clause", first, "code", "notice", text)


def untranslated(guidelines: Guidelines) -> dict[str, list[str]]:
    """List the clauses without a title or a text, by language. People read them in English."""
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


def _rule(
    guidelines: Guidelines, rule: FindingRule, number: int, lines: _Lines
) -> Iterator[Problem]:
    unknown = set(rule.categories) - set(CATEGORIES)
    reported, sure = rule.confidence in BY_PEOPLE, rule.confidence == "verified"
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
            "nobody is suspended without a match with a verified bank",
        ),
        (
            rule.verdict and not (sure and rule.exact),
            "verdict",
            "only an exact match with a verified bank is a verdict",
        ),
        (
            rule.verdict and rule.verdict not in guidelines.clauses,
            "verdict",
            f"there is no clause {rule.verdict}",
        ),
        *_silence(rule.silence),
    )
    yield from _problems_of(faults, "finding", number, lines)


def _problems_of(
    faults: Iterable[tuple[object, str, str]], table: str, number: int, lines: _Lines
) -> Iterator[Problem]:
    for wrong, key, text in faults:
        if wrong:
            yield lines.at(table, number, key, "error", text)


def _silence(silence: Silence | None) -> Iterator[tuple[bool, str, str]]:
    if silence is not None:
        text = f"silence.days is from 1 to {LONGEST_SILENCE}: a longer one takes a legal order"
        yield not 1 <= silence.days <= LONGEST_SILENCE, "silence", text
        wrong = not silence.why.strip() or len(silence.why) > MAX_TITLE
        yield wrong, "silence", f"a silence says why, in at most {MAX_TITLE} letters"


def _uncovered(guidelines: Guidelines, lines: _Lines) -> Iterator[Problem]:
    """Complain about each kind of finding without a rule."""
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
            for rule in guidelines.finding
        ):
            what = f"a report of {category!r}" if category else f"a {confidence} finding"
            if confidence in MATCHES:
                what = f"a {confidence} match"
            yield lines.top("name", f"no [[finding]] says what follows from {what}")


def _steps(strikes: Strikes, lines: _Lines) -> Iterator[Problem]:
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


def _outcome(part: Step | Clause, table: str, number: int, lines: _Lines) -> Iterator[Problem]:
    """Check the consequence for an account: its capabilities and its days."""
    faults = (
        (
            (part.account == "restrict") != bool(part.capabilities),
            "capabilities",
            "`restrict`, and only that, names capabilities",
        ),
        (not 0 <= part.days <= LONGEST, "days", f"days are from 0 to {LONGEST}"),
        (
            part.days and part.account not in ("restrict", "suspend"),
            "days",
            "only `restrict` and `suspend` have days",
        ),
        *(
            (
                not _CAPABILITY.fullmatch(name) or len(name) > 80,
                "capabilities",
                f"{name[:80]!r} is not a capability",
            )
            for name in part.capabilities
        ),
    )
    yield from _problems_of(faults, table, number, lines)
    for name in filter(_CAPABILITY.fullmatch, set(part.capabilities) - set(CAPABILITIES)):
        text = f"{name[:80]} is no capability of Kinward's: your pack must have it"
        yield lines.at(table, number, "capabilities", "notice", text)


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
    yield from _problems_of(faults, "clause", number, lines)
    yield from _outcome(clause, "clause", number, lines)
    if clause.report and clause.account != "terminate":
        text = f"{clause.code} is reported to an authority, and the account goes on"
        yield lines.at("clause", number, "report", "notice", text)


def _texts(name: str, texts: dict[str, str], limit: int) -> Iterator[tuple[object, str, str]]:
    unknown = set(texts) - set(LANGUAGES)
    yield unknown, "code", f"{name}: {', '.join(unknown)} is not one of {', '.join(LANGUAGES)}"
    yield not texts.get("en", "").strip(), "code", f"{name} is missing in 'en'"
    for language, words in texts.items():
        text = f"{name} in {language[:20]!r} has at most {limit} letters"
        yield len(words.strip()) > limit, "code", text
