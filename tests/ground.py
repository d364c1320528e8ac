"""Before anything is imported: a data directory of the tests. Their PostgreSQL starts later."""

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
        "KINWARD_CHAOS_ENTRIES",
        "KINWARD_CHAOS_KILLS",
        "KINWARD_TEST_DATABASE_URL",
        "KINWARD_TEST_DEEP",
        "KINWARD_TEST_SEED",
    ):
        del os.environ[name]
os.environ["KINWARD_DATA_DIR"] = str(_base)
os.environ["KINWARD_RETRY_SCALE"] = "0.01"
os.environ["KINWARD_REPORTER_EMAIL"] = "safety@community.example"
os.environ["DJANGO_SETTINGS_MODULE"] = "kinward.project.settings"

from kinward.cli.first_run import make_secrets  # noqa: E402

make_secrets()
if url := os.environ.get("KINWARD_TEST_DATABASE_URL"):
    os.environ["KINWARD_DATABASE_URL"] = url


def start_database(cluster: Path) -> str:
    """Start the tests' own PostgreSQL, on a copy of a cluster; return its URL. It stops at exit."""
    from kinward.cli import postgres
    from tests.support.places import copy

    copy(cluster, _base / "postgres")
    server, _ = postgres.start()
    atexit.register(server.stop)
    return os.environ["KINWARD_DATABASE_URL"]


atexit.register(shutil.rmtree, _base, ignore_errors=True)  # after the server has stopped
