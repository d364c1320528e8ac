"""Asks by mail, to the guardians who confirmed an address for them."""

from typing import Final

from kinward.families.models import Ask, Pairing
from kinward.ground.jobs import enqueue

MAIL_ASK: Final = "families.mail_ask"


def mail_soon(ask: Ask, pairing: Pairing) -> None:
    """Have a job mail an ask to a pairing's guardian, if they confirmed an address for asks."""
    if pairing.mails_asks and "@" in pairing.digest:
        enqueue(MAIL_ASK, ask_id=str(ask.pk), pairing_id=str(pairing.pk))
