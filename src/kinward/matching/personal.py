"""What `matching` holds of a person: checks of uploads, also in packed blocks."""

from uuid import UUID

import numpy as np

from kinward.ground.personal import Going, Holding, holds, holds_nobody, scrubbed_by
from kinward.matching.agreements import Marking, Silencing, Weakening, WithdrawalRequest
from kinward.matching.models import (
    Addition,
    Bank,
    BankedHash,
    BankVersion,
    Check,
    Flood,
    HashHit,
    HeldBlock,
    IndexSnapshot,
    QuietHit,
    RetroRun,
    Unheld,
    Withdrawal,
    WithdrawalAllowance,
)
from kinward.matching.uploaded import unpack

DETECTION = "shows how uploads are recognised"

holds(
    Holding(
        model=Check,
        whose=("account",),
        mentions=("sent_to",),
        told=("content_id", "filename", "media_type", "size", "ip", "port", "uploaded_at"),
    ),
    Holding(model=Unheld, whose=("check_made__account",), ids=(), untold="waits to be packed"),
    Holding(model=QuietHit, whose=("check_made__account",), untold=DETECTION),
    Holding(model=HashHit, whose=("account",), untold=DETECTION),
)
holds_nobody("hashes of content, without a word on whose it is", Bank, BankedHash, BankVersion)
holds_nobody("who added hashes to a bank, and from which list or case", Addition)
holds_nobody("how many hashes may leave a bank", Withdrawal, WithdrawalAllowance, WithdrawalRequest)
holds_nobody("what staff ask and agree to about a bank", Marking, Silencing, Weakening)
holds_nobody("counts accounts, and names none", Flood)
holds_nobody("files on machines, and how far a run is", IndexSnapshot, RetroRun)
holds_nobody("packed hashes of checks, which `forget_records` removes", HeldBlock)


@scrubbed_by
def forget_records(going: Going) -> None:
    """Remove the records of checks from the blocks of uploaded content.

    A block keeps its number, so that a run that compares blocks one after the other goes on.
    """
    checks: list[UUID] = going.rows.get(Check, [])
    if not checks:
        return
    gone = np.frombuffer(b"".join(pk.bytes for pk in checks), dtype="V16")
    for block in HeldBlock.objects.select_for_update().order_by("pk").iterator(chunk_size=20):
        records = unpack(bytes(block.records), block.format)
        theirs = np.isin(np.ascontiguousarray(records["check"]).view("V16").ravel(), gone)
        if theirs.any():
            left = records[~theirs]
            block.records, block.count = left.tobytes(), len(left)
            block.save(update_fields=["records", "count"])
