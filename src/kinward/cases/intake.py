"""From a file at the gate to an answer: hashes, the lookup, and a case where there is a match."""

import msgspec
from django.db import transaction

from kinward.cases.services import open_or_join
from kinward.errors import KinwardError
from kinward.matching.decoders import Busy, decoders
from kinward.matching.picture import Digests, Picture, digest_bytes
from kinward.matching.services import Upload, look_up, record_check
from kinward.people.services import get_account


class Prepared(msgspec.Struct, frozen=True):
    """What a file's bytes gave: always digests; a picture, or why there is none."""

    digests: Digests
    picture: Picture | None = None
    fault: KinwardError | None = None


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to the platform. It never says why, and never how close."""

    check_id: str
    outcome: str
    case_id: str | None = None


def prepare(data: bytes) -> Prepared:
    """Hash a file. Outside any transaction, since decoding can take seconds."""
    digests = digest_bytes(data)
    try:
        return Prepared(digests, decoders().hash(data))
    except Busy:
        raise
    except KinwardError as fault:
        return Prepared(digests, fault=fault)


@transaction.atomic
def receive(
    *,
    actor: str,
    account_id: str,
    upload: Upload,
    data: bytes | None = None,
    fault: KinwardError | None = None,
) -> Outcome:
    """Look an upload up, keep what was found, and say whether it may be published.

    In one transaction: the check, the finding, the case, the sealed bytes, the actions and their
    jobs. A file that could not be decoded and whose digests are unknown raises its `fault`.
    """
    account = get_account(account_id)
    matches = look_up(digests=upload.digests, picture=upload.picture)
    if fault is not None and not matches:
        raise fault
    check = record_check(account=account, upload=upload, matches=matches)
    if not matches:
        return Outcome(str(check.id), "clear")
    case = open_or_join(account=account, check=check, matches=matches, data=data, actor=actor)
    return Outcome(str(check.id), "quarantine", str(case.id))
