"""`kinward doctor`: what is wrong with a set-up, in plain words, and what to do."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import click
import httpx
import msgspec

from kinward.cli.first_run import EarlierLayout, NoTables
from kinward.ground.config import Section, config, section
from kinward.ground.errors import KinwardError
from kinward.policy import Problem
from kinward.reporting.api import CyberTiplineSettings

MAX_SKEW: Final = 30.0
STALE_SECONDS: Final = 60.0


class Finding(msgspec.Struct, frozen=True):
    """The result of one check: fine, a warning or a fault, and what to do."""

    level: str
    text: str


def fine(text: str) -> Finding:
    return Finding("ok", text)


def warn(text: str) -> Finding:
    return Finding("warning", text)


def fault(text: str) -> Finding:
    return Finding("fault", text)


def check_database() -> Finding:
    """Can we reach a PostgreSQL that is new enough?"""
    from kinward.cli import postgres
    from kinward.cli.main import open_tables

    embedded = postgres.is_embedded()
    open_tables()
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        row = cursor.fetchone()
    version = int(row[0]) // 10000 if row else 0
    if version < 14:
        return fault(f"PostgreSQL {version} is too old. Use 14 or newer.")
    if embedded:
        return warn(f"PostgreSQL {version}, the embedded one. Use your own in production.")
    return fine(f"PostgreSQL {version} answers.")


def check_migrations() -> Finding:
    """Is every table at this version?"""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        return fault(f"{len(plan)} migrations are missing. Run `kinward migrate`.")
    return fine("All tables are at this version.")


def check_keys() -> Finding:
    """Can evidence be sealed and opened again, and are the secrets there?"""
    from uuid import uuid4

    from kinward.evidence.api import keys

    some = uuid4()
    if keys().unwrap(keys().wrap("doctor", some), keys().current, some) != "doctor":
        return fault("The evidence key does not open what it seals.")
    for name in ("secret_key", "webhook_secret"):
        config().secret(name)
    if config().evidence_key_file or config().evidence_keys != "file":
        return fine("The evidence key seals and opens.")
    return warn(
        f"The evidence key is a file beside the data ({config().secret_path('evidence_key')}). "
        "In production keep it elsewhere and set KINWARD_EVIDENCE_KEY_FILE."
    )


def check_unsealable() -> Finding:
    """Was all evidence sealed for the key at hand?"""
    from kinward.evidence import CannotUnseal
    from kinward.evidence.api import Evidence, keys, keys_of

    live = Evidence.objects.filter(destroyed_at=None).defer("ciphertext")
    ids = list(live.exclude(key_id="").values_list("key_id", flat=True).distinct())
    for key_id in ids:
        one = live.filter(key_id=key_id).first()
        if one is None or one.wrapped_key is None:
            continue
        try:
            keys_of(key_id).unwrap(bytes(one.wrapped_key), key_id, one.id)
        except CannotUnseal as error:
            count = live.filter(key_id=key_id).count()
            return fault(f"{count} files cannot be opened: {error} Bring that key back.")
    if older := live.exclude(key_id=keys().current).count():
        return warn(f"{older} files are wrapped by an older key: `kinward evidence rewrap`.")
    return fine("All evidence can be opened with the key at hand.")


def check_vault() -> Finding:
    """Is all evidence whole, and has it been checked of late?"""
    from kinward.evidence.api import Evidence

    live = Evidence.objects.filter(destroyed_at=None)
    if damaged := live.filter(damaged_at__isnull=False).count():
        return fault(
            f"{damaged} files are not what was sealed. `kinward evidence scrub` names them."
        )
    return fine(f"{live.count()} files are held, and none is known to be damaged.")


def check_api_keys() -> Finding:
    """Is there a key for the app?"""
    from kinward.access.api import ApiKey

    if not ApiKey.objects.filter(revoked_at=None).exists():
        return warn("There is no API key. Make one: `kinward key create app`.")
    return fine("There is an API key.")


def check_worker() -> Finding:
    """Has a worker been alive lately?"""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM now() - max(last_heartbeat)) FROM procrastinate_workers"
        )
        row = cursor.fetchone()
    if row is None or row[0] is None:
        return fault("No worker runs. Start one: `kinward up` or `kinward worker`.")
    if row[0] > STALE_SECONDS:
        return fault(f"No worker has been heard for {row[0]:.0f} s. Look at its log.")
    return fine("A worker is alive.")


def check_jobs() -> Finding:
    """Does any job fail again and again?"""
    from kinward.ground.jobs import OFTEN, fail_often

    failing = fail_often()
    if not failing:
        return fine("No job fails again and again.")
    each = ", ".join(f"{name} ({count})" for name, count in failing.items())
    return warn(
        f"Failed {OFTEN} times or more, and tried again: {each}. The worker's log says why "
        "(`job.fails_often`)."
    )


def check_index() -> Finding:
    """Is the search compiled?"""
    from kinward.matching import warm, was_kept

    seconds = warm()
    if was_kept():
        return fine("The search is compiled.")
    return warn(
        f"The search was not compiled at install: that took {seconds:.0f} s, as each start will if "
        "nothing can be kept. Run `python -m kinward.matching.hamming` as whoever may write there, "
        "or set NUMBA_CACHE_DIR."
    )


def check_webhook() -> Finding:
    """Does the app's webhook address answer?"""
    if config().actions == "pull":
        return fine("Your app fetches its actions.")
    from kinward.enforcement.api import check_address

    check_address(config())
    try:
        with httpx.Client(timeout=5, trust_env=False) as http:
            status = http.post(config().webhook_url, content=b"{}").status_code
    except httpx.HTTPError as error:
        return fault(f"{config().webhook_url} does not answer ({type(error).__name__}).")
    if status < 300:
        return fault("Your webhook accepts unsigned messages. It must verify the signature.")
    if status in (404, 405) or status >= 500:
        return fault(f"{config().webhook_url} answers HTTP {status}. Is the path right?")
    return fine(f"The webhook answers, and refuses what is unsigned (HTTP {status}).")


def check_parked() -> Finding:
    """Does anything wait for a person?"""
    from kinward.review.api import parked_counts

    counts = parked_counts()
    if any(counts.values()):
        waiting = " and ".join(f"{count} {what}" for what, count in counts.items())
        return fault(f"{waiting} are parked. See /operations.")
    return fine("Nothing is parked.")


def check_partners() -> Finding:
    """Are the partners' lists up to date?"""
    from kinward.exchanges.api import exchange_health, overdue_exchanges

    rows = list(exchange_health())
    failed = [f"{each.name}: {each.problem}" for each in rows if each.enabled and each.problem]
    if failed:
        return fault(f"{failed[0]} See /banks.")
    if late := [each.name for each in overdue_exchanges()]:
        return fault(f"{', '.join(late)} were not read for a while. See /banks.")
    if new := [each.name for each in rows if each.enabled and each.finished_at is None]:
        return warn(f"{', '.join(new)}: not read to the end yet.")
    if not rows:
        return warn("No partner's list is read. `kinward exchange add` adds one.")
    return fine(f"What partners share is here ({', '.join(each.name for each in rows)}).")


def check_settings() -> Finding:
    """Which variables do the installed authorities read, and is each value of the right kind?"""
    from kinward.reporting.api import check_authority_settings, installed_sections

    check_authority_settings()
    readers: dict[type[Section], list[str]] = {}
    for name, section_type in installed_sections().items():
        readers.setdefault(section_type, []).append(name)
    lines = [
        f"{', '.join(names)}: {', '.join(map(_set_or_not, section_type.variables())) or 'none'}."
        for section_type, names in readers.items()
    ]
    return fine(" ".join(lines))


def _set_or_not(variable: str) -> str:
    """A variable, and whether it is set. Its value may be a secret, so it is not shown."""
    return f"{variable} ({'set' if os.environ.get(variable) else 'not set'})"


def check_authority() -> Finding:
    """Does each authority accept our credentials?"""
    from kinward.reporting.api import HandOver, authority, names_in_use, require_agreement

    found = {name: authority(name) for name in names_in_use()}
    said = " ".join(f"{name} says: {each.check()}" for name, each in found.items())
    for name, each in found.items():
        if not each.production and not isinstance(each, HandOver):
            return warn(f"{name} is not the production one, so reports reach nobody. {said}")
        require_agreement(name)
    return fine(f"Reports are real. {said}")


def check_policy() -> Finding:
    """Can the pack in force be read, and has nothing in it come due?"""
    from kinward.experience.api import compiled, current_pack, today
    from kinward.policy import check_pack

    now = current_pack()
    for version in filter(None, (now.pack, now.rest)):
        try:
            compiled(version.digest, version.pk)
        except KinwardError as error:
            return fault(f"{version} cannot be used, so everything is closed: {error}")
        if problems := check_pack(version.files, today=today()):
            return _look_again(version, problems)
    if now.rest is not None:
        return warn(f"{now.pack} is in force for {now.share} percent, {now.rest} for the rest.")
    return fine(f"{now.pack} is in force.")


def _look_again(label: object, problems: list[Problem]) -> Finding:
    """Warn about a document in force. It stays in force, but its successor needs no errors."""
    first = min(problems, key=lambda problem: problem.level)  # an error before a notice
    if first.level == "notice":
        return warn(f"{label}: {first}")
    return warn(f"{label} is in force as approved, but today's rules refuse it: {first}")


def check_guidelines() -> Finding:
    """Can the guidelines in force be read, and in which languages do they say too little?"""
    from kinward.guidelines import guidelines_notices, untranslated
    from kinward.guidelines.api import guidelines_in_force, guidelines_text_in_force

    guidelines = guidelines_in_force()
    if errors := [
        problem
        for problem in guidelines_notices(guidelines_text_in_force())
        if problem.level == "error"
    ]:
        return _look_again(guidelines.label, errors)
    if missing := untranslated(guidelines):
        return warn(
            f"{guidelines.label} is not fully translated: {', '.join(missing)}. People read "
            "English instead. See /guidelines."
        )
    return fine(f"{guidelines.label} is in force.")


def check_clock() -> Finding:
    """Does our clock agree with the database's, and with the authority's?"""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        row = cursor.fetchone()
    assert row is not None
    skews = {"the database": abs((datetime.now(UTC) - row[0]).total_seconds())}
    address = section(CyberTiplineSettings).url
    if address:
        try:
            date = httpx.get(address, timeout=5, trust_env=False).headers["date"]
            said = parsedate_to_datetime(date)
            skews["the authority"] = abs((datetime.now(UTC) - said).total_seconds())
        except (httpx.HTTPError, KeyError, ValueError):
            pass
    for who, skew in skews.items():
        if skew > MAX_SKEW:
            return fault(f"The clock is {skew:.0f} s off {who}'s. Synchronise it (NTP).")
    return fine(f"The clock agrees with {' and '.join(skews)}.")


CHECKS: Final[dict[str, Callable[[], Finding]]] = {
    "database": check_database,
    "migrations": check_migrations,
    "keys": check_keys,
    "evidence": check_unsealable,
    "API key": check_api_keys,
    "worker": check_worker,
    "jobs": check_jobs,
    "index": check_index,
    "vault": check_vault,
    "webhook": check_webhook,
    "parked": check_parked,
    "partners": check_partners,
    "policy": check_policy,
    "settings": check_settings,
    "guidelines": check_guidelines,
    "authority": check_authority,
    "clock": check_clock,
}
MARKS: Final = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "fault": ("✗", "red")}


def examine() -> dict[str, Finding]:
    """Run every check; one that cannot run is a fault with its reason.

    Raises `NoTables` or `EarlierLayout`, because most checks would then fail for that one reason.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kinward.project.settings")
    found: dict[str, Finding] = {}
    for name, check in CHECKS.items():
        try:
            found[name] = check()
        except (EarlierLayout, NoTables):
            raise
        except KinwardError as error:
            found[name] = fault(str(error))
        except Exception as error:  # a doctor who faints helps nobody
            found[name] = fault(f"{type(error).__name__}: {str(error).splitlines()[0]}")
    return found


@click.command()
def doctor() -> None:
    """Check everything that it runs on: database, keys, worker, webhook, authority, clock …"""
    found = examine()
    for name, finding in found.items():
        mark, colour = MARKS[finding.level]
        click.echo(click.style(f"{mark} {name:<11}", fg=colour) + finding.text)
    if any(finding.level == "fault" for finding in found.values()):
        raise SystemExit(1)
