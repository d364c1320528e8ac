"""No door writes a row, no string reaches past a face, and what is pure reads no clock."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from kinward.ledger import kinds
from scripts import roads

DOORS: Final = ("cli", "entrance", "gate", "portal", "project", "web")
# Functions of a door that write rows, by module and name, and why each may.
WRITE: Final = {
    "cli.backup._begin": "marks an empty database while a restore fills it",
    "cli.backup._end": "takes that mark away",
    "cli.backups.objects.put_objects": "a restore moves each object into the store that is there",
    "cli.demo.give_second_factor": "allauth's own row, for the demo's invented staff",
    "cli.grants._rows": "reads what roles may do, in SQL",
    "cli.grants._run": "grants rights to roles, and writes no row",
    "cli.postgres.ensure_database": "creates a database, before there is any row",
    "gate.idempotency.answer_once": "the gate's own table, of what it answered before",
    "gate.idempotency.claim_keys": "the same table, for calls that are answered together",
    "gate.idempotency.keep_answers": "the same table, for calls that are answered together",
    "gate.personal.forget_answers": "the same table, when a person is erased",
    "gate.tasks.forget_answers": "the same table, of which nothing stays for long",
}
# Modules that a string names past their face, by who names them.
NAMED: Final = {
    "cli.demo": {"kinward.demo.wsgi:application", "kinward.demo.settings"},  # a process of its own
    "cli.witness": {"kinward.ledger.witness_app:application"},  # a process of its own
}
# Imports by a computed name.
COMPUTED: Final = {
    "cli.main": "a command's module, in this room, from the table of commands",
    "project.asgi": "the search of the index, in a thread, by a name that stands there",
    "media.decoder": "all that a decoder could need, before its cell is closed",
}
# What a pure module may do with a clock: nothing, but for these.
CLOCKS: Final = {
    "matching.hamming": {"time.perf_counter"},  # measures how fast this machine searches
    "reporting.authorities.cybertipline.sandbox": {"time.sleep"},  # a slow authority, in practice
}
MEASURES: Final = {"time.monotonic"}  # what a decoder may do: it stops when its time is over


@cache
def modules() -> dict[str, ast.Module]:
    """The tree of each module, by its name below `kinward`."""
    source = Path("src")
    trees = {}
    for path in sorted(source.joinpath("kinward").rglob("*.py")):
        if "migrations" not in path.parts:
            name = ".".join(path.relative_to(source).with_suffix("").parts)
            trees[name.removesuffix(".__init__")] = ast.parse(path.read_text())
    return trees


def short(module: str) -> str:
    return module.removeprefix("kinward.")


def room(module: str) -> str:
    return short(module).split(".")[0]


def pure() -> Iterator[str]:
    contracts = tomllib.loads(Path("pyproject.toml").read_text())["tool"]["importlinter"]
    listed = next(c for c in contracts["contracts"] if c["name"].startswith("Pure modules"))
    for module in modules():
        if any(f"{module}.".startswith(f"{name}.") for name in listed["source_modules"]):
            yield module


def by_module(find: Callable[..., Iterator[str]], *more: Any) -> dict[str, set[str]]:
    found = {short(name): set(find(tree, *more)) for name, tree in modules().items()}
    return {name: lines for name, lines in found.items() if lines}


def test_no_door_writes_a_row() -> None:
    writing = {
        f"{short(name)}.{function.name}"
        for name, tree in modules().items()
        if room(name) in DOORS
        for function in roads.functions(tree)
        if any(roads.writes(function))
    }
    assert writing == set(WRITE)


def test_no_string_names_a_module_past_its_face() -> None:
    found = {
        short(name): set(roads.names_of_modules(tree, name))
        for name, tree in modules().items()
        if room(name) != "project"  # Django takes its middleware and its routes as strings
    }
    assert {name: lines for name, lines in found.items() if lines} == NAMED


def test_nobody_asks_django_for_a_model_by_its_name() -> None:
    assert by_module(roads.models_by_name) == {}


def test_an_import_by_a_computed_name_is_listed() -> None:
    assert set(by_module(roads.computed_imports)) == set(COMPUTED)


def test_no_attribute_reaches_past_a_face() -> None:
    found = {n: set(roads.chains(tree, n, modules())) for n, tree in modules().items()}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_what_is_pure_reads_no_clock_and_stores_nothing() -> None:
    for module in pure():
        allowed = MEASURES if room(module) == "media" else CLOCKS.get(short(module), set())
        assert set(roads.impurities(modules()[module])) <= allowed, module


def test_a_column_with_the_id_of_a_row_is_a_foreign_key() -> None:
    assert by_module(roads.bare_ids) == {}


def test_two_people_are_written_once() -> None:
    assert set(by_module(roads.second_people)) == {"access.agreement"}


def test_every_kind_of_ledger_entry_is_written_somewhere() -> None:
    named = {
        node.attr
        for name, tree in modules().items()
        if not short(name).startswith("ledger.kinds") and not name.endswith(".counterparts")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
    }
    assert {fact.__name__ for fact in kinds.KINDS.values()} - named == set()


def test_the_numbers_are_measured_as_the_script_says() -> None:
    script = Path("scripts/measure")
    assert script.read_text().startswith("#!/usr/bin/env -S .venv/bin/python\n")
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    lines = [line.rsplit(maxsplit=1) for line in ran.stdout.splitlines()]
    numbers = {line[0].strip(): line[-1] for line in lines}
    assert numbers["of these, reached past a face"] == "0"
    assert numbers["ids without a foreign key"] == "0"
    assert numbers["copies of the rule of two people"] == "1"


# Each road in the words of somebody who takes it, so that the search is known to see it.

WRITES = [
    "Case.objects.update(state='dismissed')",
    "Case.objects.filter(pk=1).update(**changes)",
    "case.findings.update(state='x')",
    "case.save(update_fields=['state'])",
    "case.save()",
    "await case.asave()",
    "Case.objects.all().delete()",
    "case.delete()",
    "Case.objects.create(id=1)",
    "case.findings.bulk_create(rows)",
    "await Case.objects.aupdate_or_create(id=1)",
    "cursor.execute('UPDATE casebook_case SET state = %s', ['x'])",
    "cursor.execute(statement)",
]
READ = [
    "bar.update(3)",
    "answer.update({'a': 1})",
    "cache.delete(key)",
    "image.save(file, 'JPEG')",
    "cursor.execute('SELECT 1')",
    "Case.objects.filter(pk=1).first()",
]


@pytest.mark.parametrize("code", WRITES)
def test_a_write_is_seen(code: str) -> None:
    assert list(roads.writes(ast.parse(f"async def view(request):\n    {code}")))


@pytest.mark.parametrize("code", READ)
def test_what_writes_no_row_is_not_taken_for_a_write(code: str) -> None:
    assert not list(roads.writes(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "importlib.import_module('kinward.verdicts.decision')",
        "import_string('kinward.verdicts.decision.decide_case')",
        "sys.modules['kinward.verdicts.decision']",
        "NAME = 'kinward.verdicts.decision:decide_case'",
    ],
)
def test_a_string_past_a_face_is_seen(code: str) -> None:
    tree = ast.parse(code)
    assert list(roads.names_of_modules(tree, "kinward.web.views"))
    assert not list(roads.names_of_modules(tree, "kinward.verdicts.report"))


def test_a_string_at_a_face_is_none() -> None:
    tree = ast.parse("import_module('kinward.verdicts.api')\nimport_module('kinward.ground.text')")
    assert not list(roads.names_of_modules(tree, "kinward.web.views"))


@pytest.mark.parametrize("code", ["apps.get_model('casebook', 'Case')", "get_app_config('x')"])
def test_a_model_by_its_name_is_seen(code: str) -> None:
    assert list(roads.models_by_name(ast.parse(code)))


@pytest.mark.parametrize("code", ["import_module(name)", "__import__('kinward.' + room)"])
def test_a_computed_import_is_seen(code: str) -> None:
    assert list(roads.computed_imports(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "import kinward.verdicts.api\nkinward.verdicts.decision.decide_case()",
        "from kinward import verdicts\nverdicts.decision.decide_case()",
        "from kinward import verdicts as v\nv.decision",
    ],
)
def test_a_chain_past_a_face_is_seen(code: str) -> None:
    found = set(roads.chains(ast.parse(code), "kinward.web.views", modules()))
    assert found == {"kinward.verdicts.decision"}


@pytest.mark.parametrize(
    "code",
    [
        "import time\nstart = time.time()",
        "import time as clock\nstart = clock.monotonic()",
        "from time import monotonic",
        "now = datetime.now(UTC)",
        "today = date.today()",
        "import sqlite3",
        "from dbm import open",
        "importlib.import_module('django.db')",
    ],
)
def test_a_clock_or_a_store_is_seen(code: str) -> None:
    assert list(roads.impurities(ast.parse(code)))


def test_a_variable_named_time_is_no_clock() -> None:
    assert not list(roads.impurities(ast.parse("hours = time.split(':')")))


@pytest.mark.parametrize(
    "line",
    [
        "case_id = models.UUIDField()",
        "case_id: Any = models.UUIDField(null=True)",
        "subject = UUIDField(db_index=True)",
        "case_id = UUIDField(default=uuid.uuid4)",
        "shadow_id = models.BigIntegerField()",
    ],
)
def test_an_id_without_a_foreign_key_is_seen(line: str) -> None:
    assert list(roads.bare_ids(ast.parse(f"class Note(models.Model):\n    {line}")))


@pytest.mark.parametrize(
    "line",
    [
        "id = models.UUIDField(unique=True)",
        "action_id = models.UUIDField(primary_key=True)",
        "word = models.UUIDField(default=uuid.uuid4)",
        "content_id = models.CharField(max_length=9)",
        "case = models.ForeignKey(Case, on_delete=models.PROTECT)",
    ],
)
def test_a_key_of_its_own_is_no_bare_id(line: str) -> None:
    assert not list(roads.bare_ids(ast.parse(f"class Note(models.Model):\n    {line}")))


def test_a_third_person_of_an_agreement_is_no_second_rule() -> None:
    third = "second_by = models.ForeignKey(Staff)\n    other_by = models.ForeignKey(Staff)"
    rule = "rule = CheckConstraint(condition=~Q(second_by=F('asked_by')))"
    model = f"class Proposal(TwoPeopleOrDelay):\n    {third}\n    {rule}"
    assert not list(roads.second_people(ast.parse(model)))


@pytest.mark.parametrize(
    "code",
    [
        "asked_by = models.ForeignKey(Staff)\n    decided_by = models.ForeignKey(Staff, null=True)",
        "one = ForeignKey('access.Staff')\n    other = ForeignKey(settings.AUTH_USER_MODEL)",
        "constraints = [CheckConstraint(condition=~Q(approved_by=F('asked_by')))]",
    ],
)
def test_a_second_rule_of_two_people_is_seen(code: str) -> None:
    assert list(roads.second_people(ast.parse(f"class Own(models.Model):\n    {code}")))
