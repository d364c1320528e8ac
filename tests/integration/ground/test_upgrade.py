"""A filled database of each version that was ever stored is brought to this one."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from kinward.cli.backups.sealing import find_tool
from tests.support.databases import database

STORED = Path(__file__).parents[2] / "support" / "stored" / "databases"
DECIDED = STORED.parent / "decided"
NAME = "kinward_upgrade"
# A key from before keys had a purpose, as that version stored it.
SECRET = "kw_" + "b" * 43
KEY = (
    "INSERT INTO access_apikey (name, digest, scopes, created_at) "
    "VALUES ('before', %s, ARRAY['media:check', 'policy:decide'], now())"
)
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", params=sorted(STORED.glob("*.dump")), ids=lambda path: path.stem)
def environment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """The environment of a stored database, brought to this version as `kinward up` does it."""
    data = str(tmp_path_factory.mktemp("upgrade"))
    with database(NAME) as url:
        restore = [find_tool("pg_restore"), "--no-owner", "--exit-on-error", "--dbname", url]
        subprocess.run([*restore, str(request.param)], check=True)
        with psycopg.connect(url) as before:
            before.execute(KEY, [hashlib.sha256(SECRET.encode()).digest()])
            roles = before.execute("SELECT username, role FROM access_staff").fetchall()
        environment = os.environ | {"KINWARD_DATABASE_URL": url, "KINWARD_DATA_DIR": data}
        environment["STAFF_BEFORE"] = json.dumps(roles)
        code = (
            "import django; django.setup(); from kinward.cli.first_run import make_secrets, migrate"
        )
        migrate = [sys.executable, "-c", f"{code}; make_secrets(); migrate()"]
        subprocess.run(migrate, env=environment, check=True)
        yield environment


@pytest.fixture
def upgraded(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """The environment of an upgraded database that a test has for itself."""
    with database(f"{NAME}_copy", like=NAME) as url:
        yield environment | {"KINWARD_DATABASE_URL": url}


def test_a_database_of_an_earlier_version_is_upgraded_and_proved(upgraded: dict[str, str]) -> None:
    kinward = [sys.executable, "-m", "kinward"]
    verify = subprocess.run(
        [*kinward, "ledger", "verify"], env=upgraded, capture_output=True, text=True, check=False
    )
    assert verify.returncode == 0, verify.stdout + verify.stderr
    compare = [*kinward, "ledger", "reconcile", "--all"]
    agree = subprocess.run(compare, env=upgraded, capture_output=True, text=True, check=False)
    # All of them agree but the key, which this test wrote past Kinward.
    assert "API key key:before" in agree.stdout
    assert "1 difference is not explained." in agree.stdout
    with psycopg.connect(upgraded["KINWARD_DATABASE_URL"]) as connected:
        for table in ("casebook_case", "casebook_finding", "evidence_evidence", "people_account"):
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            (count,) = connected.execute(query).fetchone() or (0,)
            assert count, f"{table} has rows after the upgrade"


def test_everybody_keeps_the_role_that_they_had(upgraded: dict[str, str]) -> None:
    before = json.loads(upgraded["STAFF_BEFORE"])
    assert any(role for _name, role in before)
    with psycopg.connect(upgraded["KINWARD_DATABASE_URL"]) as database:
        after = database.execute("SELECT username, roles FROM access_staff").fetchall()
    assert dict(after) == {name: [role] if role else [] for name, role in before}


OPEN = """
import sys, django
django.setup()
from datetime import timedelta
from kinward.access import Actor
from kinward.access.api import authenticate, keys_in_need, rotate_key
header = f"Bearer {sys.argv[1]}"
key = authenticate(header, "media:check")
assert key.name == "before" and key.expires_at is None and authenticate(header, "policy:decide")
assert [need.what for need in keys_in_need() if need.key == "before"] == ["purpose"]
new = rotate_key(name="before", overlap=timedelta(days=1), actor=Actor.operator("test"))
assert authenticate(header, "media:check") and authenticate(f"Bearer {new}", "policy:decide")
"""


def test_a_key_of_an_earlier_version_opens_after_the_upgrade(upgraded: dict[str, str]) -> None:
    environment = upgraded | {"DJANGO_SETTINGS_MODULE": "kinward.project.settings"}
    subprocess.run([sys.executable, "-c", OPEN, SECRET], env=environment, check=True)


# Asks a database for everything that an earlier Kinward decided; see tests/support/decided.py.
ASK = """
import json, sys
import django, msgspec
django.setup()
from kinward.experience.api import current_pack, live
from kinward.policy import Request
from tests.support.decided import PLACES, digest, questions
found = {}
for place in PLACES:
    requests = msgspec.convert(questions(place), list[Request], strict=False)
    found[place or "nowhere"] = digest([
        (d.effect, d.value, d.layer, [r.code for r in d.reasons], list(d.obligations), d.pack)
        for d in live().look_up(requests).decisions
    ])
print(json.dumps([str(current_pack().pack), current_pack().pk is not None, found]))
"""


def test_an_upgrade_changes_no_decision(upgraded: dict[str, str]) -> None:
    environment = upgraded | {"DJANGO_SETTINGS_MODULE": "kinward.project.settings"}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True
    )
    pack, activated, found = json.loads(done.stdout)
    assert (pack, activated) == ("teen-accounts 2026.11", True)
    assert found == json.loads((DECIDED / "teen-accounts-2026.11.json").read_text())


def test_there_is_a_database_to_upgrade() -> None:
    assert list(STORED.glob("*.dump"))
