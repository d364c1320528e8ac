"""From a file at the gate to an answer: hash it, look it up, and open a case if it matches."""

from collections.abc import Sequence

import msgspec
from django.db import transaction

from kinward.access import Actor
from kinward.findings.matches import add_match
from kinward.ground.errors import KinwardError
from kinward.ground.locks import sharing
from kinward.matching.api import (
    LOOKING_UP,
    Frames,
    Match,
    Upload,
    look_up,
    record_check,
    record_quiet,
    survey,
    values_of,
)
from kinward.media import Busy, Digests, Hashed, Undecodable, decoders, digest_bytes
from kinward.people.api import get_account, lock_account


class Prepared(msgspec.Struct, frozen=True):
    """A file's digests, and what decoding it gave or why that failed."""

    digests: Digests
    hashed: Hashed | None = None
    fault: KinwardError | None = None


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to the platform. It never says why, and never how close."""

    check_id: str
    outcome: str
    case_id: str | None = None


def prepare(data: bytes) -> Prepared:
    """Hash a file. Outside any transaction, since decoding can take seconds.

    A file is read until its match is certain, or to its end. A file that could not be read to the
    end also carries a fault, raised only if the part that was read matches nothing.
    """
    digests = digest_bytes(data)
    seen = Frames(digests.known())

    def more(frames: Sequence[bytes]) -> bool:
        seen.add(frames)
        return not seen.certain()

    try:
        hashed = decoders().hash(data, more)
    except Busy:
        raise
    except KinwardError as fault:
        return Prepared(digests, fault=fault)
    cut = Undecodable(f"It was read up to {hashed.seconds:g} seconds; send its frames' hashes.")
    return Prepared(digests, hashed, fault=None if hashed.entire else cut)


def file_values(data: bytes) -> list[tuple[str, bytes]]:
    """Return the hashes of a file, for staff who ask. Nothing about the file is stored."""
    prepared = prepare(data)
    return values_of(prepared.digests, prepared.hashed)


def file_matches(data: bytes) -> list[Match]:
    """Return what a file matches, for staff who ask. Nothing about the file is stored."""
    return look_up(file_values(data))


@transaction.atomic
def receive(
    *,
    actor: Actor,
    account_id: str,
    upload: Upload,
    data: bytes | None = None,
    fault: KinwardError | None = None,
) -> Outcome:
    """Look an upload up, store the outcome, and return whether the file may be published.

    The check, the finding, the case, the sealed bytes, the actions and their jobs are one
    transaction. Raises `fault` if there is one and nothing matches.
    """
    account = get_account(account_id)
    sharing(LOOKING_UP)
    met = survey(upload.values)
    matches = met.matches
    if fault is not None and not matches:
        raise fault
    check = record_check(account=account, upload=upload, matched=bool(matches))
    record_quiet(check, met.quiet)
    if not matches:
        return Outcome(str(check.id), "clear")
    account = lock_account(account.pk)
    case = add_match(account=account, check=check, matches=matches, data=data, actor=actor)
    return Outcome(str(check.id), "quarantine", str(case.id))
