"""An owner makes the tables, Kinward runs as another role, and a third only reads the ledger."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from kinward.cli.backups.sealing import find_tool
from kinward.evidence.sealing import new_key, public_half
from tests.integration.cli.test_backup import FILL
from tests.support.databases import database, roles, url_of
from tests.support.places import SET_UP

pytestmark = (
    pytest.mark.django_db
)  # for the server of the tests: these have a database of their own

NAME = "kinward_apart"
OWNER, APP, READER, OTHER = (f"{NAME}_{role}" for role in ("owner", "app", "reader", "other"))
MORE = """
from kinward.ledger.api import sequence_all
from kinward.ledger.signing import publish_checkpoint
sequence_all()
assert publish_checkpoint()
"""


def kinward(url: str, data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command with a database's address."""
    return run(url, data, "-m", "kinward", *arguments)


def run(url: str, data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "KINWARD_DATABASE_URL": url,
        "KINWARD_DATA_DIR": str(data),
        "KINWARD_EVIDENCE_STORE": f"file://{data}/store",
    }
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("apart")


@pytest.fixture(scope="module")
def owner(django_db_setup: None, django_db_blocker: object, data: Path) -> Iterator[str]:
    """The owner's URL of a database whose other roles have their rights."""
    with roles(OWNER, APP, READER, OTHER), database(NAME, owner=OWNER) as url:
        dump = [find_tool("pg_dump"), "--format=custom", f"--dbname={url_of('kinward')}"]
        restore = [find_tool("pg_restore"), "--no-owner", "--exit-on-error", f"--dbname={url}"]
        tables = subprocess.run(dump, capture_output=True, check=True).stdout
        subprocess.run(restore, input=tables, check=True)
        said = kinward(url, data, "migrate", "--application", APP, "--reader", READER)
        assert said.returncode == 0, said.stderr
        assert f"{APP} may use the tables, and only add to the ledger." in said.stdout
        assert f"{READER} may read the ledger." in said.stdout
        yield url


def test_kinward_runs_as_a_role_that_owns_nothing(owner: str, data: Path) -> None:
    """What it is for, and all that an operator runs beside it."""
    app = url_of(NAME, APP)
    filled = run(app, data, "-c", SET_UP + FILL + MORE)
    assert filled.returncode == 0, filled.stderr
    for arguments in (
        ["migrate"],
        ["ledger", "verify"],
        ["ledger", "reconcile", "--all"],
        ["ledger", "export", str(data / "export")],
        ["backup", str(data / "backups"), "--recipient", public_half(new_key())],
    ):
        said = kinward(app, data, *arguments)
        assert said.returncode == 0, (arguments, said.stdout, said.stderr)
    doctor = kinward(app, data, "doctor").stdout
    assert f"{APP} may add to the ledger, and do nothing else to it." in doctor
    assert f"{OWNER} owns something in this database" in kinward(owner, data, "doctor").stdout


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER ledger_append_only ON ledger_entry",
        "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
        "ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_readable",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION kinward_ledger_refuse() RETURNS trigger LANGUAGE plpgsql "
        "AS $$ BEGIN RETURN NEW; END $$",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE public.mine (id int)",
        "CREATE TRIGGER mine BEFORE INSERT ON ledger_entry FOR EACH ROW "
        "EXECUTE FUNCTION kinward_ledger_refuse()",
        "DROP TABLE ledger_entry",
        "TRUNCATE ledger_entry",
        "DELETE FROM ledger_entry",
        "UPDATE ledger_entry SET kind = 'case.closed'",
        "UPDATE ledger_entry SET mac = NULL",
        "UPDATE ledger_entry SET actor_commitment = NULL",
        "UPDATE ledger_leaf SET hash = ''",
        "DELETE FROM ledger_leaf",
        "DELETE FROM ledger_tile",
        "UPDATE ledger_tile SET level = 7",
        "DELETE FROM ledger_log",
        "UPDATE ledger_words SET text = ''",
        "SELECT setval('ledger_entry_seq_seq', 1)",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('ledger', '0', now())",
    ],
)
@pytest.mark.parametrize("role", [APP, READER])
def test_neither_role_changes_the_ledger_or_what_guards_it(
    owner: str, role: str, statement: str
) -> None:
    with psycopg.connect(url_of(NAME, role)) as connected, pytest.raises(InsufficientPrivilege):
        connected.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO ledger_leaf (index, hash) VALUES (99, '')",
        "UPDATE ledger_entry SET actor = NULL",
        "SELECT nextval('ledger_entry_seq_seq')",
        "SELECT * FROM people_account",
        "SELECT * FROM django_session",
        "SELECT * FROM evidence_evidence",
        "SELECT * FROM access_apikey",
    ],
)
def test_a_reader_reads_the_ledger_and_nothing_else(owner: str, statement: str) -> None:
    with psycopg.connect(url_of(NAME, READER)) as connected:
        for table in ("ledger_entry", "ledger_leaf", "ledger_tile", "ledger_log"):
            connected.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
        with pytest.raises(InsufficientPrivilege):
            connected.execute(statement)


def test_a_new_table_is_shared_and_nobody_else_migrates(owner: str, data: Path) -> None:
    app = url_of(NAME, APP)
    with psycopg.connect(owner, autocommit=True) as admin:
        admin.execute(
            "CREATE TABLE extension_note (id bigint GENERATED ALWAYS AS IDENTITY, t text)"
        )
        gone = "DELETE FROM django_migrations WHERE app = 'sessions' RETURNING name"
        assert admin.execute(gone).fetchall()
        admin.execute("DROP TABLE django_session")
        refused = kinward(app, data, "migrate")
        assert refused.returncode == 1
        assert "the owner's address" in refused.stderr
        unshared = kinward(app, data, "migrate", "--reader", OTHER)
        assert (unshared.returncode, "the owner's address" in unshared.stderr) == (1, True)
        said = kinward(owner, data, "migrate")
        assert (said.returncode, f"{APP} may use" in said.stdout) == (0, True), said.stderr
    with psycopg.connect(app) as connected:
        connected.execute("INSERT INTO extension_note (t) VALUES ('x')")
        connected.execute("SELECT * FROM django_session")
        with pytest.raises(InsufficientPrivilege):
            connected.execute("DROP TABLE extension_note")


def test_a_role_without_rights_is_told_what_to_run(owner: str, data: Path) -> None:
    nobody = url_of(NAME, OTHER)
    for arguments in (["key", "list"], ["ledger", "verify"], ["migrate"]):
        said = kinward(nobody, data, *arguments)
        assert (said.returncode, "Traceback" in said.stderr) == (1, False), said.stderr
        assert "run `kinward migrate --application ROLE` as that owner" in said.stderr
    doctor = kinward(nobody, data, "doctor").stdout
    assert f"{OTHER} may not add to the ledger." in doctor
    assert "✓ rights" not in doctor
    with database(f"{NAME}_empty", owner=OWNER):
        said = kinward(url_of(f"{NAME}_empty", APP), data, "migrate")
        assert (said.returncode, "the owner's address" in said.stderr) == (1, True), said.stderr


def test_nothing_starts_without_the_secrets(owner: str, tmp_path: Path) -> None:
    for arguments in (["serve", "gate"], ["worker"]):
        said = kinward(url_of(NAME, APP), tmp_path / "elsewhere", *arguments)
        assert (said.returncode, "The secret 'secret_key' is" in said.stderr) == (1, True)


def test_a_role_that_could_do_more_is_refused_and_nothing_changes(owner: str, data: Path) -> None:
    assert "knows no role nobody" in refusal(owner, data, "nobody", OTHER)
    assert f"{APP} is the application's role" in refusal(owner, data, OTHER, APP)
    assert "owns something" in refusal(owner, data, OWNER, OTHER)
    with psycopg.connect(url_of("postgres")) as admin:
        assert "is a superuser" in refusal(owner, data, admin.info.user, OTHER)


@pytest.mark.parametrize(
    ("more", "undone", "why"),
    [
        ("GRANT {owner} TO {other}", "REVOKE {owner} FROM {other}", f"the rights of {OWNER}"),
        (
            "GRANT pg_write_all_data TO {other}",
            "REVOKE pg_write_all_data FROM {other}",
            "the rights of pg_write_all_data",
        ),
        ("ALTER ROLE {other} CREATEROLE", "ALTER ROLE {other} NOCREATEROLE", "may make roles"),
        (
            "GRANT CREATE ON DATABASE {name} TO {other}",
            "REVOKE CREATE ON DATABASE {name} FROM {other}",
            "may make schemas",
        ),
        (
            "GRANT SET ON PARAMETER session_replication_role TO {other}",
            "REVOKE SET ON PARAMETER session_replication_role FROM {other}",
            "may set the parameter session_replication_role",
        ),
        (
            "ALTER FUNCTION kinward_ledger_forgets() OWNER TO {other}",
            "ALTER FUNCTION kinward_ledger_forgets() OWNER TO {owner}",
            "owns something",
        ),
        (
            "GRANT DELETE ON ledger_leaf TO PUBLIC",
            "REVOKE DELETE ON ledger_leaf FROM PUBLIC",
            "may do this with ledger_leaf: DELETE",
        ),
        (
            "GRANT UPDATE (mac) ON ledger_entry TO PUBLIC",
            "REVOKE UPDATE (mac) ON ledger_entry FROM PUBLIC",
            "may write to ledger_entry: mac",
        ),
        (
            "GRANT UPDATE ON SEQUENCE ledger_entry_seq_seq TO PUBLIC",
            "REVOKE UPDATE ON SEQUENCE ledger_entry_seq_seq FROM PUBLIC",
            "may set the numbers of ledger_entry_seq_seq",
        ),
    ],
)
@pytest.mark.parametrize("option", ["--application", "--reader"])
def test_a_role_that_has_more_by_any_way_is_refused(
    owner: str, data: Path, option: str, more: str, undone: str, why: str
) -> None:
    names = {"owner": OWNER, "other": OTHER, "name": NAME}
    quoted = {name: sql.Identifier(each) for name, each in names.items()}
    with psycopg.connect(url_of(NAME), autocommit=True) as admin:
        admin.execute(sql.SQL(more).format(**quoted))
        try:
            said = kinward(owner, data, "migrate", option, OTHER)
            assert (said.returncode, why in said.stderr) == (1, True), said.stderr
        finally:
            admin.execute(sql.SQL(undone).format(**quoted))
    assert OTHER not in kinward(owner, data, "migrate").stdout


def test_only_roles_that_were_named_are_touched(owner: str, data: Path) -> None:
    with psycopg.connect(url_of(NAME), autocommit=True) as admin:
        other = sql.Identifier(OTHER)
        given = "GRANT INSERT ON ledger_entry TO {}", "GRANT SELECT ON people_account TO {}"
        for each in given:
            admin.execute(sql.SQL(each).format(other))
        assert OTHER not in kinward(owner, data, "migrate").stdout
        can = "SELECT has_table_privilege(%s, %s, %s)"
        for table, right, expected in (
            ("people_account", "SELECT", True),
            ("people_account", "DELETE", False),
            ("ledger_entry", "INSERT", True),
        ):
            assert admin.execute(can, [OTHER, table, right]).fetchone() == (expected,)
        admin.execute(sql.SQL("REVOKE ALL ON ledger_entry, people_account FROM {}").format(other))


def test_a_temporary_table_shows_a_trigger_no_false_ledger(owner: str, data: Path) -> None:
    """A trigger that looked there first would take the erasure for one that was agreed."""
    with psycopg.connect(owner) as admin:
        open_ones = (
            "SELECT proname FROM pg_proc WHERE prorettype = 'trigger'::regtype "
            "AND pronamespace = current_schema()::regnamespace "
            "AND proname NOT LIKE 'procrastinate%' "
            "AND array_to_string(coalesce(proconfig, '{}'), ' ') NOT LIKE 'search_path=pg_catalog%'"
        )
        assert admin.execute(open_ones).fetchall() == []
    with psycopg.connect(url_of(NAME, APP)) as connected:
        connected.execute("CREATE TEMP TABLE ledger_entry (LIKE public.ledger_entry)")
        connected.execute(
            "INSERT INTO ledger_entry (seq, at, kind, subject, data, xid) "
            "VALUES (1, now(), 'account.erased', 'account:x', '{}', pg_current_xact_id())"
        )
        with pytest.raises(psycopg.errors.RaiseException):
            connected.execute("UPDATE public.ledger_entry SET actor = NULL, actor_salt = NULL")


def refusal(owner: str, data: Path, application: str, reader: str) -> str:
    """Return why these roles are refused. Neither gets a right that it did not have."""
    said = kinward(owner, data, "migrate", "--application", application, "--reader", reader)
    assert said.returncode == 1, said.stdout
    with psycopg.connect(owner) as admin:
        given = "SELECT has_table_privilege(%s, 'ledger_entry', 'SELECT')"
        assert admin.execute(given, [OTHER]).fetchone() == (False,)
    return said.stderr
