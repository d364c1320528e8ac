"""Installations beside that of the tests, each with a data directory and a database of its own."""

import fcntl
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

SET_UP: Final = """
from kinward.cli.first_run import make_secrets
from kinward.cli.main import set_up_django
make_secrets()
set_up_django()
"""
TABLES: Final = (
    SET_UP
    + """
from django.core.management import call_command
call_command("migrate", verbosity=0)
"""
)
MIGRATE: Final = (
    SET_UP
    + """
from kinward.cli.first_run import migrate
migrate()
"""
)


class Place:
    """An installation of its own, with an embedded database."""

    def __init__(self, directory: Path, **settings: str) -> None:
        self.directory = directory
        clean = {k: v for k, v in os.environ.items() if not k.startswith("KINWARD_")}
        self.environment = clean | {"KINWARD_DATA_DIR": str(directory), **settings}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=400,  # of a busy machine, which migrates for minutes
        )

    def kinward(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("-m", "kinward", *arguments)

    def fill(self, script: str, cluster: Path) -> subprocess.CompletedProcess[str]:
        """Begin with a copy of a cluster that was migrated, and run a script there."""
        copy(cluster, self.directory / "postgres")
        return self.run("-c", MIGRATE + script)

    def back_up(self, directory: Path, recipient: str) -> tuple[Path, list[str]]:
        """Make the first backup in a directory; return it and how to restore it."""
        made = self.kinward("backup", str(directory), "--recipient", recipient)
        assert made.returncode == 0, made.stderr
        (backup,) = directory.iterdir()
        (signer,) = re.findall(r"^Signed by (\S+)$", made.stdout, re.MULTILINE)
        return backup, ["restore", str(backup), "--signed-by", signer]


def migrated_cluster(shared: Path) -> Path:
    """Return the files of a cluster with all tables, below a folder that all workers share.

    The first worker that asks makes it: to migrate takes half a minute of a core.
    """
    kept = shared / "migrated"
    with (shared / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            place = Place(shared / "migrating")
            made = place.run("-c", TABLES)
            assert made.returncode == 0, made.stderr
            forget_the_disk(place.directory / "postgres")
            copy(place.directory / "postgres", kept)
    return kept


def forget_the_disk(cluster: Path) -> None:
    """Have a PostgreSQL not wait for the disk: nothing of the tests outlives the machine."""
    with (cluster / "postgresql.auto.conf").open("a") as settings:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            settings.write(f"{name} = off\n")


def copy(directory: Path, to: Path) -> None:
    """Copy files with their owners: as root, PostgreSQL runs as somebody else."""
    to.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", f"{directory}/.", to], check=True)


def reachable(folder: Path) -> None:
    """Let the embedded server, which runs as somebody else under root, come to a folder."""
    for each in (folder, *folder.parents[:2]):
        each.chmod(0o755)
