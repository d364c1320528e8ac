"""The reference names every setting, every error and every command, and none that is not there."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

import kinward
from kinward.cli.main import COMMANDS
from kinward.config import Config
from kinward.errors import KinwardError
from kinward.reporting.authority import installed_sections

REFERENCE = Path("docs/reference")


def errors(base: type[KinwardError] = KinwardError) -> Iterator[type[KinwardError]]:
    for module in pkgutil.walk_packages(kinward.__path__, "kinward."):
        if not re.search(r"\.(demo|migrations|__main__)\b|project\.", module.name):
            importlib.import_module(module.name)
    found = [base]
    while found:
        error = found.pop()
        found += error.__subclasses__()
        yield error


def test_every_setting_is_explained() -> None:
    named = set(re.findall(r"KINWARD_([A-Z_]+)`", (REFERENCE / "settings.md").read_text()))
    own = {f"KINWARD_{name.upper()}" for name in msgspec.structs.asdict(Config())}
    plugins = {name for kind in installed_sections().values() for name in kind.variables()}
    assert {f"KINWARD_{name}" for name in named} == own | plugins


def test_every_error_is_explained() -> None:
    text = (REFERENCE / "errors.md").read_text()
    listed = dict(re.findall(r"^\| `([a-z_.]+)` \| \d+ \| (.*) \|$", text, re.MULTILINE))
    known = {error.code: (error.__doc__ or "").splitlines()[0] for error in errors()}
    assert listed == known


def test_error_codes_are_one_meaning_each() -> None:
    codes = [error.code for error in errors()]
    assert len(codes) == len(set(codes))


def test_every_command_is_listed() -> None:
    text = (REFERENCE / "commands.md").read_text()
    for name, (where, _, _) in COMMANDS.items():
        module, _, attribute = where.partition(":")
        command = getattr(importlib.import_module(f"kinward.cli.{module}"), attribute)
        assert re.search(rf"`{name}\b", text), name
        for sub in command.commands if isinstance(command, click.Group) else ():
            assert re.search(rf"`[^`]*\b{sub}\b", text), f"{name} {sub}"
