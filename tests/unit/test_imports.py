"""What each process loads: heavy libraries only where they are used."""

import os
import subprocess
import sys
from pathlib import Path

PARTNERS = {"threatexchange", "dacite", "pdqhash"}  # spoken to by the worker and the command line
CLUSTER = {"ray", "pyarrow"}
DECODERS = {"av", "PIL", "pillow_heif"}
COMPILER = {"numba", "llvmlite"}


def loaded(program: str, directory: Path) -> set[str]:
    """Return the top-level packages that a new process has loaded after a program."""
    environment = {key: value for key, value in os.environ.items() if "KINWARD" not in key}
    environment |= {
        "KINWARD_DATA_DIR": str(directory),
        "DJANGO_SETTINGS_MODULE": "kinward.project.settings",
    }
    program += "\nimport sys; print(*{name.partition('.')[0] for name in set(sys.modules)})"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )
    return set(done.stdout.split())


def test_the_gate_s_application_loads_no_partner_no_cluster_and_no_decoder(tmp_path: Path) -> None:
    packages = loaded("import kinward.project.asgi", tmp_path)
    assert "django" in packages
    assert not packages & (PARTNERS | CLUSTER | DECODERS)


def test_the_pages_and_the_faces_below_them_load_no_compiler(tmp_path: Path) -> None:
    program = (
        "import django; django.setup()\n"
        "import kinward.findings.api, kinward.exchanges.api, kinward.web.urls, kinward.portal.urls"
    )
    packages = loaded(program, tmp_path)
    assert "django" in packages
    assert not packages & (PARTNERS | CLUSTER | DECODERS | COMPILER)


def test_commands_that_load_django_themselves_are_importable_without_it(tmp_path: Path) -> None:
    """Otherwise `kinward doctor` ends in a traceback, also for `--help`."""
    program = (
        "import importlib\n"
        "from kinward.cli.main import COMMANDS\n"
        "for where, _, needs_django in COMMANDS.values():\n"
        "    if not needs_django:\n"
        "        importlib.import_module('kinward.cli.' + where.partition(':')[0])\n"
    )
    assert "django.db.models" not in loaded(program, tmp_path)
