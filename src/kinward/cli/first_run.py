"""What the first run creates and later runs reuse: the secrets and the tables."""

import contextlib
from typing import Final

from kinward.ground.config import config, random_secret, random_webhook_secret, write_secret
from kinward.ground.errors import KinwardError

FIRST_APP: Final = "ledger"  # has tables in every installation
DROPPED_APP: Final = "cases"  # had tables in development versions only, under other migrations


class NoTables(KinwardError):
    """This database has no tables of Kinward."""

    code = "database.no_tables"
    status = 503

    def __init__(self) -> None:
        super().__init__(
            "Is KINWARD_DATA_DIR or KINWARD_DATABASE_URL right? `kinward up` makes them, "
            "or `kinward migrate`."
        )


class EarlierLayout(KinwardError):
    """An earlier development version made this database. It cannot be upgraded."""

    code = "database.earlier_layout"
    status = 503

    def __init__(self) -> None:
        super().__init__(
            "Start with a new data directory: point KINWARD_DATA_DIR (or KINWARD_DATABASE_URL) at "
            "an empty one."
        )


class NotOwner(KinwardError):
    """The role in the database's address does not own the tables, so it cannot change them."""

    code = "database.not_owner"
    status = 403

    def __init__(self) -> None:
        super().__init__(
            "Run `kinward migrate` with the owner's address in KINWARD_DATABASE_URL. "
            "The other processes keep the address of the application's role."
        )


class NoRight(KinwardError):
    """The role in the database's address may not do this."""

    code = "database.no_right"
    status = 403


def lacks_right(error: BaseException | None) -> str:
    """Return what PostgreSQL says if an error comes from a right that is missing; "" otherwise."""
    from psycopg.errors import InsufficientPrivilege

    while error is not None:
        if isinstance(error, InsufficientPrivilege):
            return str(error).splitlines()[0]
        error = error.__cause__ or error.__context__
    return ""


def no_right(said: str) -> NoRight:
    """Return the error for what PostgreSQL said about a missing right."""
    return NoRight(
        f"PostgreSQL says: {said}. `kinward migrate` and `kinward restore` need the address of the "
        "tables' owner. For all else, run `kinward migrate --application ROLE` as that owner."
    )


def check_secrets() -> None:
    """Raise `NotConfigured` where this machine has no secrets, so that nothing starts without."""
    config().secret("secret_key")


def make_secrets() -> None:
    """Create each secret that is neither set nor created yet. Needs no database."""
    from kinward.evidence import new_key
    from kinward.policy import new_signing_key

    chosen = config()
    chosen.data_dir.mkdir(parents=True, exist_ok=True)
    write_secret(chosen.secret_path("secret_key"), random_secret())
    write_secret(chosen.secret_path("webhook_secret"), random_webhook_secret())
    write_secret(chosen.secret_path("policy_key"), new_signing_key())
    write_secret(chosen.secret_path("identifier_key"), random_secret())
    write_secret(chosen.secret_path("package_key"), new_signing_key())
    if not (chosen.ledger_key or chosen.ledger_key_file):
        write_secret(chosen.secret_path("ledger_key"), new_signing_key())
    if chosen.ledger_webhook_url and not chosen.ledger_webhook_secret:
        write_secret(chosen.secret_path("ledger_webhook_secret"), random_webhook_secret())
    if not (chosen.evidence_key or chosen.evidence_key_file):
        write_secret(chosen.secret_path("evidence_key"), new_key())


def check_tables() -> None:
    """Raise `NoTables` or `EarlierLayout` where commands cannot work with the database.

    Raises `RestoreUnfinished` where they would work with half of it.
    """
    from kinward.ground.restoring import require_restored

    apps = _migrated_apps()
    if apps is None:
        return
    require_restored()
    _refuse_earlier_layout(apps)
    if FIRST_APP not in apps:
        raise NoTables


def check_erasures() -> None:
    """Raise `ErasuresWait` where the database still has data that was erased. Call it to serve.

    An unreachable database is no reason to stop here: see `_migrated_apps`. What serves asks again.
    """
    from kinward.erasure.api import ErasuresUnknown, require_known

    with contextlib.suppress(ErasuresUnknown):
        require_known()


def check_shown() -> None:
    """Raise `ErasuresWait` where a command would show data that was erased, or nobody can tell."""
    from kinward.erasure.api import require_known

    require_known()


def migrate() -> None:
    """Migrate the database to this version. The pack and the guidelines in force stay.

    Raises `EarlierLayout`, and `NotOwner` where tables would change and are another role's.
    """
    from django.core.management import call_command
    from django.db import DatabaseError

    _refuse_earlier_layout(_migrated_apps() or set())
    try:
        call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)
    except DatabaseError as error:
        if lacks_right(error):
            raise NotOwner from error
        raise
    from kinward.experience.api import pin_first_pack
    from kinward.guidelines.api import pin_guidelines

    pin_first_pack()
    pin_guidelines()


def _refuse_earlier_layout(apps: set[str]) -> None:
    if DROPPED_APP in apps:
        raise EarlierLayout


def _migrated_apps() -> set[str] | None:
    """Return the apps with a migration in the database, or None if it is unreachable.

    An unreachable database is no reason to stop here. The gate answers protectively without one,
    and a worker waits for it.
    """
    from django.db import OperationalError, connection
    from django.db.migrations.recorder import MigrationRecorder

    try:
        return {app for app, _ in MigrationRecorder(connection).applied_migrations()}
    except OperationalError:
        return None
    finally:
        if not connection.in_atomic_block:
            connection.close()
