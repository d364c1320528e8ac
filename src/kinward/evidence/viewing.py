"""Viewing evidence: each thing in a file by itself, as our own encoders wrote it.

A file is seen once one person saw all that there is to see in it: each picture was shown to them,
and each strand that moves was played to its end. The ledger has each of these by a short name:
`2:0` is the first picture of strand 2, `2:film` a film that was shown, `2:end` one that was played.
"""

import time
from typing import Final

import msgspec
from django.db import transaction

from kinward.access.api import Staff
from kinward.evidence.models import Evidence
from kinward.evidence.queries import shown_before
from kinward.evidence.services import require_reason, unsealed_bytes
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ground.turns import Payer
from kinward.ledger.api import kinds, record
from kinward.media import Busy, Contents, Playback, Strand, Undecodable, decoders

PAGE: Final = 24  # stills that are shown at once
SECONDS: Final = 20.0  # of work, after which a page has enough stills


class Still(msgspec.Struct, frozen=True):
    """One picture of a strand as JPEG; None if it cannot be decoded."""

    strand: Strand
    moment: int
    data: bytes | None


class Sight(msgspec.Struct, frozen=True):
    """What a person is shown of a file at once, after the ledger has it.

    `stills`: on this page. `following`: where the next page starts; None on the last. `film`: of a
    strand that was asked to move. `left`: how many pictures and films this person has yet to see.
    `entire`: whether they have seen the whole file. `excerpt`: the text of a chat, in place of all.
    """

    contents: Contents
    entire: bool
    left: int = 0
    stills: list[Still] = []
    following: int | None = None
    film: Playback | None = None
    excerpt: str = ""


def open_evidence(
    *, evidence: Evidence, staff: Staff, reason: str, strand: int | None = None, start: int = 0
) -> Sight:
    """Show stills of a file to a person. The ledger has the viewing before the first byte leaves.

    Without `strand`, the first still of each strand, from the `start`-th one. With it, the stills
    of that strand from that moment. Raises `Undecodable` if none of them can be shown.
    """
    require_reason(staff, reason)
    data = unsealed_bytes(evidence)
    payer = Payer("", staff.username)
    if evidence.is_excerpt:
        with transaction.atomic(durable=True):
            fact = kinds.EvidenceViewed(case=str(evidence.case_id), reason=reason, entire=True)
            record(actor=staff.actor, subject=str(evidence), fact=fact)
        return Sight(Contents([], entire=True), entire=True, excerpt=data.decode())
    contents = decoders().contents(data, payer=payer)
    if strand is None:
        places = [(listed, 0) for listed in contents.strands]
    else:
        listed = _strand(contents, strand)
        places = [(listed, moment) for moment in range(listed.moments)]
    stills = _stills(data, places[start : start + PAGE], payer)
    shown = [f"{still.strand.number}:{still.moment}" for still in stills if still.data is not None]
    end = start + len(stills)
    sight = Sight(
        contents,
        entire=False,
        stills=stills,
        following=end if end < len(places) else None,
    )
    return _recorded(sight, evidence, staff, reason, shown)


def play_evidence(*, evidence: Evidence, staff: Staff, reason: str, strand: int) -> Sight:
    """Show a strand of a file moving, re-encoded. It is seen once its film was played."""
    require_reason(staff, reason)
    data = unsealed_bytes(evidence)
    payer = Payer("", staff.username)
    contents = decoders().contents(data, payer=payer)
    if not _strand(contents, strand).moves:
        raise Invalid("This part of the file does not move.")
    film = decoders().play(data, strand=strand, payer=payer)
    sight = Sight(contents, entire=False, film=film)
    return _recorded(sight, evidence, staff, reason, [f"{strand}:film"])


def record_evidence_watched(
    *, evidence: Evidence, staff: Staff, reason: str, strand: int, seconds: float
) -> Sight:
    """Record that a person played all of a film that was shown to them."""
    require_reason(staff, reason)
    payer = Payer("", staff.username)
    sight = Sight(decoders().contents(unsealed_bytes(evidence), payer=payer), entire=False)
    return _recorded(sight, evidence, staff, reason, [f"{strand}:end"], seconds=seconds)


def _strand(contents: Contents, number: int) -> Strand:
    for strand in contents.strands:
        if strand.number == number:
            return strand
    raise NotFound("There is nothing of this number in the file.")


def _stills(data: bytes, places: list[tuple[Strand, int]], payer: Payer) -> list[Still]:
    """Return as many of these stills as can be made in time, at least one.

    Raises `Undecodable` or `TooManyPixels` if none can be decoded.
    """
    stills: list[Still] = []
    until, fault = time.monotonic() + SECONDS, KinwardError()
    for strand, moment in places:
        try:
            picture = decoders().still(
                data, veiled=False, strand=strand.number, moment=moment, payer=payer
            )
            stills.append(Still(strand, moment, picture))
        except Busy:
            raise
        except KinwardError as error:
            fault = error
            stills.append(Still(strand, moment, None))
        if time.monotonic() > until:
            break
    if not stills:
        raise Undecodable("There is nothing to show.")
    if all(still.data is None for still in stills):
        raise fault
    return stills


def _recorded(
    sight: Sight,
    evidence: Evidence,
    staff: Staff,
    reason: str,
    shown: list[str],
    *,
    seconds: float | None = None,
) -> Sight:
    """Record what was shown, and return the sight with what is left for this person."""
    with transaction.atomic(durable=True):
        seen = shown_before(evidence, staff) | set(shown)
        left = len(_all_of(sight.contents) - seen)
        everything = bool(sight.contents.strands) and not left
        entire = sight.contents.entire and everything
        fact = kinds.EvidenceViewed(
            case=str(evidence.case_id),
            reason=reason,
            entire=entire,
            shown=shown,
            seconds=msgspec.UNSET if seconds is None else seconds,
            most=True if everything and not entire else msgspec.UNSET,
        )
        record(actor=staff.actor, subject=str(evidence), fact=fact)
    return msgspec.structs.replace(sight, left=left, entire=entire)


def _all_of(contents: Contents) -> set[str]:
    """Return the names of all that has to be seen of a file."""
    return {
        name
        for strand in contents.strands
        for name in (
            [f"{strand.number}:end"]
            if strand.moves
            else [f"{strand.number}:{moment}" for moment in range(strand.moments)]
        )
    }
