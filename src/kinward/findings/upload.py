"""From a file at the gate to an answer: hash it, look it up, and open a case if it matches."""

from collections.abc import Sequence

import msgspec
from django.db import transaction

from kinward.access import Actor
from kinward.findings.matches import add_match
from kinward.ground.errors import KinwardError
from kinward.ground.locks import sharing
from kinward.ground.turns import NOBODY, Payer
from kinward.matching.api import (
    LOOKING_UP,
    Bank,
    BankNotAsked,
    Frames,
    HashSaysTooLittle,
    Survey,
    Upload,
    banks_asked_partly,
    kinds_looked_up,
    left_out,
    record_check,
    record_quiet,
    says_too_little,
    survey,
    values_of,
    views_looked_up,
)
from kinward.media import (
    Digests,
    DrawingsUnread,
    Hashed,
    PartUnread,
    TooPlain,
    TypeUnsupported,
    Undecodable,
    View,
    decoders,
    digest_bytes,
    find_medium,
    medium_of_type,
)
from kinward.people.api import get_account, lock_account


class Prepared(msgspec.Struct, frozen=True):
    """A file's digests, and what decoding it gave.

    `fault`: why it was not read to its end. Then only a match is an answer. `missed`: why the file
    lacks a kind of hash, or a part of it.
    """

    digests: Digests
    hashed: Hashed | None = None
    fault: KinwardError | None = None
    missed: tuple[KinwardError, ...] = ()


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to the platform. It never says why, and never how close.

    `checked`: the kinds of hash that were looked up. `not_checked`: codes of errors, which say why
    others were not.
    """

    check_id: str
    outcome: str
    checked: list[str]
    not_checked: list[str]
    case_id: str | None = None


class FileSearch(msgspec.Struct, frozen=True):
    """What staff learn about a file: its hashes, what they meet, and what was looked up."""

    values: list[tuple[str, bytes]]
    met: Survey
    checked: list[str]
    missed: list[KinwardError]


def prepare(data: bytes, *, payer: Payer = NOBODY, look: bool = False) -> Prepared:
    """Hash a file. Outside any transaction, since decoding can take seconds.

    `payer`: who is charged for the decoder. `look`: for staff, who have decoders of their own.

    A file is read until its match is certain, or to its end. A file that could not be read to the
    end also carries a fault, raised only if the part that was read matches nothing. That includes
    busy decoders: a file with a banked digest needs none.
    """
    digests, stopped = digest_bytes(data), False
    seen = Frames(digests.known())

    def more(views: Sequence[View]) -> bool:
        nonlocal stopped
        seen.add(views)
        stopped = seen.certain()
        return not stopped

    try:
        hashed = decoders().hash(data, more, payer=payer, look=look)
    except TypeUnsupported as other:
        # A video's container may hold sound alone. What begins as a picture is a broken picture.
        if _begins_as_picture(data):
            broken = Undecodable("It begins as a picture.")
            return Prepared(digests, fault=broken, missed=(broken,))
        return Prepared(digests, missed=(other,))
    except KinwardError as fault:
        return Prepared(digests, fault=fault, missed=(fault,))
    if hashed.entire:
        return Prepared(digests, hashed)
    cut = Undecodable(_how_far(hashed))
    return Prepared(digests, hashed, cut, missed=() if stopped else (cut,))


def _how_far(hashed: Hashed) -> str:
    """Return how much was read of a file that was not read to its end."""
    medium = medium_of_type(hashed.media_type)
    if medium is not None and medium.lasting and hashed.framed:
        return f"It was read up to {hashed.seconds:g} seconds; send its frames' hashes."
    return "Only a part of it could be read."


def _begins_as_picture(data: bytes) -> bool:
    medium = find_medium(data)
    return medium is not None and not medium.lasting


def search_file(data: bytes, *, staff: str = "") -> FileSearch:
    """Look a file up for staff who ask. Nothing about the file is stored."""
    prepared = prepare(data, payer=Payer("", staff), look=True)
    values = values_of(prepared.digests, prepared.hashed)
    checked = kinds_looked_up(prepared.digests, prepared.hashed)
    met = survey(values, views_looked_up(prepared.hashed))
    missed = prepared.missed or ((prepared.fault,) if prepared.fault and not met.matches else ())
    if says_too_little(prepared.digests):
        missed += (HashSaysTooLittle(),)
    return FileSearch(values, met, checked, why_not_checked(prepared.hashed, checked, missed))


def why_not_checked(
    hashed: Hashed | None, checked: Sequence[str], missed: Sequence[KinwardError]
) -> list[KinwardError]:
    """Return why a file was not looked up by every kind of hash that it could have.

    `checked`: the kinds that were looked up. `missed`: what is known before the lookup.
    """
    reasons = [*missed]
    if hashed is not None and hashed.kind not in checked:
        reasons.append(TooPlain())
    if hashed is not None and hashed.unread:
        reasons.append(PartUnread())
    if hashed is not None and hashed.drawn:
        reasons.append(DrawingsUnread())
    return reasons


@transaction.atomic
def receive(
    *,
    actor: Actor,
    account_id: str,
    upload: Upload,
    data: bytes | None = None,
    fault: KinwardError | None = None,
    missed: Sequence[KinwardError] = (),
) -> Outcome:
    """Look an upload up, store the outcome, and return whether the file may be published.

    The check, the finding, the case, the sealed bytes, the actions and their jobs are one
    transaction. Raises `fault` if there is one and nothing matches, and `TooPlain` or
    `HashSaysTooLittle` if there was nothing to look up. `missed`: as in `Prepared`.
    """
    account = get_account(account_id)
    sharing(LOOKING_UP)
    checked = require_looked_up(upload)
    met = survey(upload.values, upload.views)
    matches = met.matches
    if fault is not None and not matches:
        raise _naming(fault, upload.hashed, checked)
    reasons = not_checked(upload, checked, missed, banks_asked_partly())
    check = record_check(account=account, upload=upload, matched=bool(matches))
    record_quiet(check, met.quiet)
    if not matches:
        return Outcome(str(check.id), "clear", checked, reasons)
    account = lock_account(account.pk)
    case = add_match(account=account, check=check, matches=matches, data=data, actor=actor)
    return Outcome(str(check.id), "quarantine", checked, reasons, str(case.id))


def require_looked_up(upload: Upload) -> list[str]:
    """Return the kinds of hash by which an upload is looked up.

    Raises `TooPlain` or `HashSaysTooLittle` if there are none.
    """
    checked = kinds_looked_up(upload.digests, upload.hashed)
    if not checked:
        raise HashSaysTooLittle if says_too_little(upload.digests) else TooPlain
    return checked


def not_checked(
    upload: Upload, checked: Sequence[str], missed: Sequence[KinwardError], partly: Sequence[Bank]
) -> list[str]:
    """Return the codes that say what was not looked up. `partly`: as `banks_asked_partly`."""
    codes = [reason.code for reason in why_not_checked(upload.hashed, checked, missed)]
    codes += [HashSaysTooLittle.code] * says_too_little(upload.digests)
    codes += [BankNotAsked.code] * bool(left_out(partly, upload.values))
    return codes


def _naming(fault: KinwardError, hashed: Hashed | None, checked: Sequence[str]) -> KinwardError:
    """Let a refusal name the kinds that were looked up for the whole file."""
    cut = hashed.kind if hashed else ""
    fault.members["checked"] = [kind for kind in checked if kind != cut]
    return fault
