"""What was erased is in no file of the installation, and in no backup that is made afterwards."""

import json
import re
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID

import pyrage
import pytest
from pyrage.x25519 import Identity

from kinward.cli.backups.sealing import find_tool
from kinward.evidence.sealing import new_key, public_half
from tests.support.helpers import listening
from tests.support.places import Place, reachable

pytestmark = pytest.mark.django_db  # the place has a database of its own

LIVE = """
import json
from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.evidence.care import store_next_file
from kinward.ledger.api import sequence_all
from kinward.matching.services import add_hashes, create_bank, file_hashes
from kinward.media import digest_bytes, read_picture
from tests.support.helpers import KNOWN_PNG
from tests.support.marked_person import leave, live
bank = create_bank(name="known", confidence="verified", actor=Actor.system("test"))
hashes = file_hashes(digest_bytes(KNOWN_PNG), read_picture(KNOWN_PNG, 10**8))
add_hashes(bank=bank, hashes=hashes, provenance="p", actor=Actor.system("test"))
marks = live(*(Staff.objects.create_user(username=n, roles=["reviewer"]) for n in ("robin", "kim")))
assert store_next_file()
leave()
sequence_all()
print(json.dumps(marks))
"""
ERASE = """
from kinward.cli.main import set_up_django
set_up_django()
from kinward.access.actor import Actor
from kinward.erasure.api import decide_erasure, request_erasure
from tests.support.helpers import run_jobs
from tests.support.marked_person import NAME
one, two = Actor.operator("one"), Actor.operator("two")
row = request_erasure(account_id=NAME, why="They asked.", staff=one)
decide_erasure(erasure_id=row.pk, approve=True, staff=two)
run_jobs()
"""
REWRITE = """
import sys
from kinward.cli.main import set_up_django
set_up_django()
from django.db import connection
for statement in sys.argv[1:]:
    connection.cursor().execute(statement)
"""
PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "erase-a-person.md"


class App(BaseHTTPRequestHandler):
    """A platform that takes every action."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...


def run(place: Place, script: str, *arguments: str) -> str:
    done = place.run("-c", script, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def forms_of(mark: str) -> list[bytes]:
    """How a file of PostgreSQL may have a value: as text, or as the bytes of a UUID or a digest."""
    forms = [mark.encode()]
    if re.fullmatch(r"[0-9a-f-]{36}", mark):
        forms.append(UUID(mark).bytes)
    elif re.fullmatch(r"(?:[0-9a-f]{2}){16,}", mark):
        forms.append(bytes.fromhex(mark))
    return forms


def found_in(folder: Path, marks: list[str]) -> set[tuple[str, str]]:
    """Each mark that a file below a folder has, with the file."""
    files = [(path, path.read_bytes()) for path in folder.rglob("*") if path.is_file()]
    return {
        (mark, str(path.relative_to(folder)))
        for mark in marks
        for path, data in files
        if any(form in data for form in forms_of(mark))
    }


def statements() -> list[str]:
    """The statements that the page about erasures gives to psql, in their order."""
    return re.findall(r'-c "([^"]+)"', PAGE.read_text())


def test_no_file_and_no_new_backup_has_what_was_erased(tmp_path: Path, cluster: Path) -> None:
    reachable(tmp_path)
    with listening(ThreadingHTTPServer(("127.0.0.1", 0), App)) as app:
        place = Place(
            tmp_path / "place",
            KINWARD_EVIDENCE_STORE=f"file://{tmp_path}/place/store",
            KINWARD_WEBHOOK_URL=f"http://127.0.0.1:{app.server_port}/hooks",
        )
        filled = place.fill(LIVE, cluster)
        assert filled.returncode == 0, filled.stderr
        marks = json.loads(filled.stdout.splitlines()[-1])
        before = {mark for mark, _ in found_in(place.directory, marks)}
        assert len(before) >= 29, set(marks) - before
        assert list((place.directory / "store").rglob("*.age"))
        run(place, ERASE)
    assert not list((place.directory / "store").rglob("*.age"))
    run(place, REWRITE, *statements())
    assert found_in(place.directory, marks) == set()

    own = new_key()
    backup, _ = place.back_up(tmp_path / "backups", public_half(own))
    archive = tmp_path / "plain" / "database"
    archive.parent.mkdir()
    keys = [Identity.from_str(own)]
    archive.write_bytes(pyrage.decrypt((backup / "database.age").read_bytes(), keys))
    script = archive.with_suffix(".sql")
    subprocess.run([find_tool("pg_restore"), f"--file={script}", str(archive)], check=True)
    assert "COPY public.people_account" in script.read_text()
    assert found_in(archive.parent, marks) == set()
    assert found_in(backup, marks) == set()
