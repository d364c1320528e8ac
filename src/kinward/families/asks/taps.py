"""Answers in one tap: signed links that each carry one answer of one guardian to one ask, once.

A link is answered by a POST. An app sends it when its own button is tapped. A browser that opens
the link gets a page with one button, because mail programs and scanners open links by themselves.
"""

from datetime import datetime
from typing import Final, TypedDict
from urllib.parse import quote

import msgspec
from django.core import signing
from django.core.mail import send_mail
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from kinward.families.asks.addressing import sees_ask
from kinward.families.asks.answers import AskAnswer, answer_ask
from kinward.families.asks.expiry import LAPSES, end_of_day
from kinward.families.asks.wording import words_of_ask
from kinward.families.errors import AskClosed, NotPaired, TapRefused
from kinward.families.models import OPEN_ASKS, Answer, Ask, Notice, Pairing
from kinward.families.notices import name_in_notices
from kinward.families.pairing.power import check_shown_power, live_pairings, shows_power
from kinward.families.settings.held import sees_held
from kinward.families.settings.looks import state_for
from kinward.ground.config import config
from kinward.ground.names import isolated
from kinward.people.api import Account
from kinward.policy import known_language

TAP: Final = "kinward.families.tap"  # links signed with this salt are in notices and mails
LABELS: Final = {
    "yes": gettext_noop("Yes"),
    "talk": gettext_noop("Let\u2019s talk"),
    "no": gettext_noop("No"),
}
ANSWERS: Final[tuple[AskAnswer, ...]] = ("yes", "talk", "no")


class AnswerLink(TypedDict):
    """One answer that can be given in one tap, and where to send it."""

    answer: AskAnswer
    url: str


class Tap(msgspec.Struct, frozen=True):
    """What a link says: one answer of one guardian to one ask."""

    ask: Ask
    pairing: Pairing
    answer: AskAnswer


def tap_links(ask: Ask, pairing: Pairing) -> list[AnswerLink]:
    """Return the links with which a pairing's guardian answers an ask."""
    links = []
    for answer in ANSWERS:
        token = signing.dumps([str(ask.pk), str(pairing.pk), answer], salt=TAP)
        links.append(AnswerLink(answer=answer, url=f"{config().url}/family/answer/{quote(token)}"))
    return links


def links_of_notice(notice: Notice) -> list[AnswerLink]:
    """Return the links of a notice about an open ask, none for another notice."""
    if notice.ask is None or not _is_open(notice.ask, notice.account):
        return []
    pairing = live_pairings().filter(guardian=notice.account, teen=notice.ask.teen_id).first()
    if pairing is None or not sees_ask(pairing, notice.ask):
        return []
    return tap_links(notice.ask, pairing)


def _is_open(ask: Ask, reader: Account) -> bool:
    """Whether an ask looks open to a reader."""
    return state_for(ask, sees=sees_held(ask.teen, reader)) in OPEN_ASKS


def read_tap(token: str) -> Tap:
    """Return what a link says, without answering.

    Raises `TapRefused` for a link that is forged, expired or used, `AskClosed` for an ask that is
    no longer open, and otherwise as `check_shown_power`.
    """
    try:
        ask_id, pairing_id, answer = signing.loads(token, salt=TAP, max_age=LAPSES)
    except signing.BadSignature as error:
        raise TapRefused from error
    ask = Ask.objects.select_related("teen").filter(pk=ask_id, proposed_by=None).first()
    pairing = live_pairings().select_related("guardian", "teen").filter(pk=pairing_id).first()
    if ask is None or pairing is None or not sees_ask(pairing, ask):
        raise NotPaired
    check_shown_power(pairing)
    if Answer.objects.filter(ask=ask, pairing=pairing, answer=answer).exists():
        raise TapRefused
    if not _is_open(ask, pairing.guardian) or ask.lapses_at <= timezone.now():
        raise AskClosed
    return Tap(ask, pairing, answer)


def answer_by_tap(token: str) -> Tap:
    """Give the answer of a link, once. Raises as `read_tap`."""
    tap = read_tap(token)
    answer_ask(
        guardian=tap.pairing.guardian,
        ask_id=tap.ask.pk,
        said=tap.answer,
        until=until_of_tap(tap.ask),
        once=tap.pairing,
    )
    return tap


def until_of_tap(ask: Ask) -> datetime | None:
    """Return how long a yes in one tap holds: a value until the teen's day ends.

    None for an ask for minutes, which end with the day anyway.
    """
    return None if ask.minutes is not None else end_of_day(ask.teen, timezone.now())


def mail_ask(ask_id: str, pairing_id: str) -> None:
    """Mail an open ask with its links. The mail names nobody but the teen, and has no reason."""
    ask = Ask.objects.select_related("teen").filter(pk=ask_id).first()
    pairing = live_pairings().select_related("guardian", "teen").filter(pk=pairing_id).first()
    if ask is None or pairing is None or not shows_power(pairing):
        return
    if not _is_open(ask, pairing.guardian):
        return
    if "@" not in pairing.digest or not pairing.mails_asks or ask.lapses_at <= timezone.now():
        return
    language = known_language(pairing.guardian.language)
    with override(language):
        name = isolated(name_in_notices(ask.teen))
        asks = _("{other} asks for: {what}").format(other=name, what=words_of_ask(ask, language))
        how = _("Each link opens a page with one button, and works once. A yes holds for today.")
        links = [f"{_(LABELS[link['answer']])}: {link['url']}" for link in tap_links(ask, pairing)]
        send_mail(asks, "\n\n".join([asks, *links, how]), None, [pairing.digest])
