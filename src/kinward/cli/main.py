"""The command `kinward`. It imports a group only when it is used, so `--help` needs no database."""

import importlib
import os
import pwd
import sys
import warnings
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Final

import click

from kinward import __version__
from kinward.access import AS, Actor
from kinward.cli.first_run import (
    EarlierLayout,
    NoTables,
    check_shown,
    check_tables,
    lacks_right,
    no_right,
)
from kinward.ground.config import config
from kinward.ground.errors import KinwardError
from kinward.ground.names import visible
from kinward.ground.privacy import close_memory

# name: (module and attribute, help, whether it needs Django and the tables of a database)
COMMANDS: Final = {
    "up": ("up:up", "Start Kinward: database, web, gate and worker.", False),
    "demo": ("demo:demo", "Start Kinward with a demo community and an authority's sandbox.", False),
    "doctor": ("doctor:doctor", "Check this installation, and say what to do.", False),
    "key": ("keys:key", "Manage API keys for your app.", True),
    "webhook": ("webhook:webhook", "Rotate the secret that signs webhooks.", True),
    "staff": ("staff:staff", "Manage the people who work in the console.", True),
    "bank": ("bank:bank", "Manage banks of known hashes.", True),
    "exchange": ("exchange:exchange", "Manage partners whose lists fill banks.", True),
    "match": ("match:match", "Check what was uploaded against new hashes.", True),
    "policy": ("policy:policy", "Check, compare, simulate and activate policy packs.", False),
    "guidelines": (
        "guidelines:guidelines",
        "Print, check, simulate and activate the community guidelines.",
        False,
    ),
    "decide": ("decide:decide", "Answer one question, and say why.", False),
    "family": ("family:family", "Pause, end and hand over pairings, and enter intakes.", True),
    "evidence": (
        "evidence:evidence",
        "Manage sealed evidence: legal holds, expiry, keys, damage.",
        True,
    ),
    "erase": ("erase:erase", "Erase an account, or list which the platform wants erased.", True),
    "agree": ("agree:agree", "Agree to what takes two people, or list what waits.", True),
    "action": ("operations:action", "List parked actions, and send them again.", True),
    "report": ("operations:report", "List, validate and file reports to authorities.", True),
    "package": (
        "package:package",
        "Ask for, write and check records for legal process.",
        True,
    ),
    "statement": ("statements:statement", "Export or send statements of reasons.", True),
    "ledger": ("ledger:ledger", "Verify the ledger, and show its entries.", True),
    "witness": ("witness:witness", "Watch the logs of others, and keep what they rewrite.", False),
    "backup": ("backup:backup", "Write a backup of everything, sealed for your key.", True),
    "restore": ("backup:restore", "Restore a backup into an empty database.", False),
    "sandbox": ("sandbox:sandbox", "Start an authority or a partner to practise on.", False),
    "migrate": ("roles:migrate", "Migrate the database to this version.", False),
    "serve": ("roles:serve", "Run only web and gate (for production).", False),
    "worker": ("roles:worker", "Run only a worker (for production).", True),
}


LOGIN: Final = Path("/proc/self/loginuid")
NOBODY: Final = 2**32 - 1

# What an operator needs while a restored database waits for its list of erasures: none of them
# shows an account, but `ledger`, which asks by itself, and `worker`, which waits.
BEFORE_REPLAY: Final = {"erase", "backup", "key", "webhook", "staff", "ledger", "worker"}

HELP: Final = {"-h", "--help"}


class Lazy(click.Group):
    """A group that imports each command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        where, _, needs_django = COMMANDS[cmd_name]
        if needs_django and not _asks_nothing(sys.argv[1:]):
            open_tables(before_replay=cmd_name in BEFORE_REPLAY)
        elif needs_django:
            load_django()
        module, _, name = where.partition(":")
        command = getattr(importlib.import_module(f"kinward.cli.{module}"), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text, _) in COMMANDS.items()])


def set_up_django() -> None:
    """Start the embedded database if the operator has none, and load Django."""
    from kinward.cli.postgres import attach

    attach()
    load_django()


def _asks_nothing(arguments: Sequence[str]) -> bool:
    """Return whether a command needs no database: for its help, or to verify an export.

    `-h` asks for help where no option comes before it. It may be the value of one.
    """
    words = takewhile(lambda word: word in HELP or not word.startswith("-"), arguments)
    export = list(arguments[:2]) == ["ledger", "verify"] and "--offline" in arguments
    return export or not HELP.isdisjoint(words)


def open_tables(*, before_replay: bool = False) -> None:
    """Set up Django over a database that has tables, of which a command may show what is there.

    `before_replay`: for what shows no data of an account. Raises `NoTables`, `EarlierLayout`, and
    what `check_shown` raises.
    """
    from kinward.cli import postgres

    if postgres.is_new():  # creating a server in the wrong place would only hide the mistake
        raise NoTables
    set_up_django()
    check_tables()
    if not before_replay:
        check_shown()


def load_django() -> None:
    """Load Django. Needs a configured database, but does not connect to it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kinward.project.settings")
    import django

    django.setup()


def operator() -> Actor:
    """Return the person at the command line as an actor.

    It is who logged in, if the kernel knows: no `sudo` or `su` changes that. Otherwise it is the
    real user, or who became root by sudo. Who became another user by sudo has both names, so that
    neither of the two is a second person to them. `$USER` does not count: anybody can set it.
    """
    user, login, behind = os.getuid(), login_uid(), _behind()
    if login is not None:
        return Actor.operator(_name_of(login))
    if behind is None or behind == user:
        return Actor.operator(_name_of(user))
    if user == 0:
        return Actor.operator(_name_of(behind))
    return Actor.operator(f"{_name_of(behind)}{AS}{_name_of(user)}")


def login_uid() -> int | None:
    """Return who logged in, as the kernel keeps it for a whole session (`pam_loginuid`).

    None where nobody did, such as in a service or a container.
    """
    try:
        login = int(LOGIN.read_text())
    except (OSError, ValueError):
        return None
    return login if 0 <= login < NOBODY else None


def _behind() -> int | None:
    behind = os.environ.get("SUDO_UID", "")
    return int(behind) if behind.isascii() and behind.isdigit() else None


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except (KeyError, OverflowError):  # a container's user may have no name
        return str(user)


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Kinward: the child-safety system that an online community runs beside its app."""


def _run() -> None:
    try:
        cli()
    except KinwardError:
        raise
    except Exception as error:
        if said := lacks_right(error):
            raise no_right(said) from None
        raise


def main() -> None:
    """Run the command line. A `KinwardError` prints its sentence and exits with 1."""
    close_memory()
    warnings.filterwarnings("ignore", message=".*XDG_RUNTIME_DIR.*")
    try:
        config()
        _run()
    except KinwardError as error:
        said = visible(error.for_operator, lines=True)
        click.secho(said, fg="red", err=True)
        wrong_database = isinstance(error, EarlierLayout | NoTables)
        raise SystemExit(2 if wrong_database else 1) from None
