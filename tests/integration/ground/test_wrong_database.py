"""A database without this version's tables: each command says so in a sentence, and ends with 2."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from kinward.cli.main import COMMANDS, main
from kinward.cli.postgres import ensure_database

pytestmark = pytest.mark.django_db

NEED_TABLES = {
    "doctor": [],
    "key": ["list"],
    "staff": ["list"],
    "bank": ["list"],
    "exchange": ["list"],
    "match": ["retro"],
    "policy": ["history"],
    "guidelines": ["show"],
    "evidence": ["expire"],
    "agree": [],
    "action": ["list"],
    "webhook": ["status"],
    "report": ["list"],
    "package": ["list"],
    "statement": ["send"],
    "erase": [],
    "ledger": ["verify"],
    "family": ["list", "member-1"],
    "backup": ["somewhere"],
    "serve": [],
    "worker": [],
}
WORK_WITHOUT = {"up", "demo", "migrate", "restore", "decide", "sandbox", "witness"}

NO_TABLES = "This database has no tables of Kinward. Is KINWARD_DATA_DIR or KINWARD_DATABASE_URL"
EARLIER = "An earlier development version made this database. It cannot be upgraded. Start with a"


def run_here(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    """Run the command line in this process, so over the tests' database."""
    monkeypatch.setattr(sys, "argv", ["kinward", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def forget_migrations() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations")


def make_earlier_layout(database: psycopg.Connection) -> None:
    database.execute(
        "CREATE TABLE django_migrations (id serial, app text, name text, applied timestamptz)"
    )
    database.execute(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('cases', '0001_initial', now())"
    )


def test_every_command_is_here() -> None:
    assert {*NEED_TABLES, *WORK_WITHOUT} == set(COMMANDS)
    assert not set(NEED_TABLES) & WORK_WITHOUT


@pytest.mark.parametrize("name", NEED_TABLES)
def test_no_tables(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    forget_migrations()
    assert run_here(monkeypatch, name, *NEED_TABLES[name]) == 2
    assert NO_TABLES in capsys.readouterr().err


@pytest.mark.parametrize("name", [*NEED_TABLES, "migrate"])
def test_an_earlier_layout(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) "
            "VALUES ('cases', '0001_initial', now())"
        )
    assert run_here(monkeypatch, name, *NEED_TABLES.get(name, [])) == 2
    assert EARLIER in capsys.readouterr().err


def test_a_decision_is_protective_and_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    forget_migrations()
    question = '{"capability": "dm.send", "actor": {"age": [13, 16]}}'
    assert run_here(monkeypatch, "decide", question) == 0
    printed = capsys.readouterr()
    assert "This database has no tables of Kinward." in printed.err
    assert '"effect": "deny"' in printed.out


@pytest.fixture
def empty_database() -> Iterator[str]:
    """The URL of a database of its own on the tests' server."""
    url = ensure_database(os.environ["KINWARD_DATABASE_URL"], "kinward_wrong")
    yield url
    with psycopg.connect(os.environ["KINWARD_DATABASE_URL"], autocommit=True) as server:
        server.execute("DROP DATABASE kinward_wrong")


def run_kinward(
    directory: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    clean = {name: os.environ[name] for name in os.environ if not name.startswith("KINWARD_")}
    clean |= {"KINWARD_DATA_DIR": str(directory), **environment}
    return subprocess.run(
        [sys.executable, "-m", "kinward", *arguments],
        env=clean,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_data_directory_by_mistake_is_not_filled(tmp_path: Path) -> None:
    ended = run_kinward(tmp_path / "mistaken", "key", "create", "app")
    assert ended.returncode == 2
    assert NO_TABLES in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "mistaken").exists()


def test_up_refuses_an_earlier_layout(tmp_path: Path, empty_database: str) -> None:
    ended = run_kinward(tmp_path, "key", "list", KINWARD_DATABASE_URL=empty_database)
    assert (ended.returncode, NO_TABLES in ended.stderr) == (2, True)
    with psycopg.connect(empty_database) as database:
        make_earlier_layout(database)
    ended = run_kinward(tmp_path, "up", KINWARD_DATABASE_URL=empty_database)
    assert (ended.returncode, EARLIER in ended.stderr) == (2, True)
    assert "Traceback" not in ended.stderr
    with psycopg.connect(empty_database) as database:
        assert database.execute("SELECT to_regclass('ledger_entry')").fetchone() == (None,)
