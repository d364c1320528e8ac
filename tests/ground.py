"""Before anything is imported: a data directory of the tests' own, and a real PostgreSQL in it."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# Where the tests run as root, the server runs as another user and must be able to get here.
_base = Path(tempfile.mkdtemp(prefix="kinward-tests-"))
_base.chmod(0o755)
for name in [name for name in os.environ if name.startswith("KINWARD_")]:
    if name not in (
        "KINWARD_TEST_BROWSER",
        "KINWARD_CHAOS_KILLS",
        "KINWARD_TEST_DATABASE_URL",
        "KINWARD_TEST_SEED",
    ):
        del os.environ[name]
os.environ["KINWARD_DATA_DIR"] = str(_base)
os.environ["KINWARD_RETRY_SCALE"] = "0.01"
os.environ["KINWARD_REPORTER_EMAIL"] = "safety@community.example"
os.environ["DJANGO_SETTINGS_MODULE"] = "kinward.project.settings"

from kinward.cli import postgres  # noqa: E402
from kinward.cli.first_run import make_secrets  # noqa: E402


def _in_a_hurry() -> None:
    """The tests' own server need not survive the machine: its disk is not waited for."""
    import psycopg

    with psycopg.connect(os.environ["KINWARD_DATABASE_URL"], autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")


_server = None
if "KINWARD_TEST_DATABASE_URL" in os.environ:
    os.environ["KINWARD_DATABASE_URL"] = os.environ["KINWARD_TEST_DATABASE_URL"]
make_secrets()
if "KINWARD_TEST_DATABASE_URL" not in os.environ:
    _server, _ = postgres.start()
    _in_a_hurry()


@atexit.register
def _clean_up() -> None:
    if _server is not None:
        _server.stop()
    shutil.rmtree(_base, ignore_errors=True)
