"""Edits of one rule in a pack. Everything else stays as its author wrote it, comments included."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Table

from kinward.ground.errors import Invalid, NotFound
from kinward.policy import PackInvalid, pack_failures, parse, read_pack

MOVABLE: Final = ("default", "bounds", "may")


class RuleChange(msgspec.Struct, frozen=True):
    """New values for one rule, in the notation of packs. None keeps the old value."""

    rule: str
    default: Any = None
    bounds: list[Any] | None = None
    may: list[str] | None = None


def raw_rule(files: Mapping[str, str], rule_id: str) -> tuple[str, dict[str, Any]]:
    """Return the name of a rule's file, and the rule as it is written there. Raises `NotFound`."""
    for file in sorted(files):
        if file == "tests.toml":
            continue
        for rule in parse(file, files[file]).get("rule", []):
            if rule.get("id") == rule_id:
                return file, rule
    raise NotFound(f"There is no rule {rule_id!r} in this pack.")


def with_change(files: Mapping[str, str], change: RuleChange, *, version: str) -> dict[str, str]:
    """Return a pack's files with one rule changed, a new version and updated expectations.

    Raises `PackInvalid` if the changed pack is invalid, and `Invalid` if nothing would change.
    """
    file, raw = raw_rule(files, change.rule)
    wanted = {key: getattr(change, key) for key in MOVABLE}
    new = {key: value for key, value in wanted.items() if value is not None}
    new = {key: value for key, value in new.items() if raw.get(key) != value}
    if not new:
        raise Invalid("This changes nothing.")
    changed = dict(files)
    try:
        document = tomlkit.parse(changed[file])
        rules = document["rule"]
        for rule in rules if isinstance(rules, AoT) else []:
            if isinstance(rule, Table) and rule.get("id") == change.rule:
                rule.update(new)
        changed[file] = tomlkit.dumps(document)
        header = tomlkit.parse(changed["pack.toml"])
        header["version"] = version
        changed["pack.toml"] = tomlkit.dumps(header)
    except TOMLKitError as error:
        raise PackInvalid(str(error)) from error
    return with_expectations(changed)


def with_expectations(files: Mapping[str, str]) -> dict[str, str]:
    """Return a pack's files with its tests expecting its current answers.

    The approver of the proposal is shown what changed (`changed_expectations`).
    """
    pack = read_pack(files)
    answers: dict[tuple[int, str], list[Any]] = {}
    for failure in pack_failures(pack):
        answers.setdefault((failure.number, failure.key), []).append(failure.got)
    if not answers:
        return dict(files)
    document = tomlkit.parse(files["tests.toml"])
    for (number, key), values in answers.items():
        # If the cases of one test now differ, only a person can say what it should expect.
        if all(value == values[0] for value in values):
            document["test"][number]["expect"][key] = values[0]
    return {**files, "tests.toml": tomlkit.dumps(document)}


def changed_expectations(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return one line for each test expectation that differs, and for each test removed."""
    differences = []
    old, new = (
        {test.get("name"): test.get("expect", {}) for test in tests}
        for tests in (
            parse("tests.toml", files.get("tests.toml", "")).get("test", [])
            for files in (before, after)
        )
    )
    for name, expect in new.items():
        for key, value in expect.items():
            was = old.get(name, {}).get(key)
            if name in old and was != value:
                differences.append(f"{name}: {key} {was!r} -> {value!r}")
    return differences + [f"{name}: taken away" for name in old if name not in new]
