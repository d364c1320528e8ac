"""Who hears of an answer to a teen's ask: the teen, and each guardian of what it changes.

A guardian hears what was asked and what applies afterwards, never who answered it, a reason or a
note.
"""

from collections.abc import Collection

import msgspec
from django.utils import timezone

from kinward.experience.api import decide_afresh
from kinward.families.asks.mailing import mail_soon
from kinward.families.asks.wording import words_of_ask
from kinward.families.models import Ask, Pairing
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.homes import are_apart
from kinward.families.pairing.power import live_pairings, shows_power
from kinward.families.screen_time.extra import TIME, minutes_with_extra
from kinward.families.screen_time.usage import local_now
from kinward.families.settings.held import shown_values
from kinward.people.api import Account
from kinward.policy import MINUTES, capability_words, effect_words, known_language, value_words


class Outcome(msgspec.Struct, frozen=True):
    """What an answer led to: the pairings whose yes is missing, and whether a grant was ended."""

    missing: Collection[Pairing]
    took_back: bool


def tell_of_answer(
    ask: Ask, pairing: Pairing, said: str, really: Outcome | None, shown: Outcome | None
) -> None:
    """Tell the teen of an answer, and the other guardians of a yes and of a grant taken back.

    The teen and guardians with a quiet dispute hear of what is shown, and other guardians of what
    is so. With None they hear nothing: the answer is held, or the ask looks answered already.
    """
    if shown is not None:
        topic = "yes.waits" if shown.missing else said
        what = words_of_ask(ask, ask.teen.language)
        tell(ask.teen, topic, other=name_in_notices(pairing.guardian), what=what)
    for other in live_pairings().select_related("guardian", "teen").filter(teen=ask.teen):
        outcome = shown if other.quiet else really
        if other.pk == pairing.pk or outcome is None or not shows_power(other):
            continue
        if are_apart(other, pairing) or ask.only_for_id is not None:
            continue
        if said == "yes" or outcome.took_back:
            _tell_guardian(ask, other, _topic(other, outcome))


def _topic(other: Pairing, outcome: Outcome) -> str:
    if outcome.took_back:
        return "yes.ended"
    if not outcome.missing:
        return "yes.heard"
    needed = {pairing.pk for pairing in outcome.missing}
    return "yes.needed" if other.pk in needed else "yes.pending"


def _tell_guardian(ask: Ask, pairing: Pairing, topic: str) -> None:
    language = pairing.guardian.language
    needed = topic == "yes.needed"
    tell(
        pairing.guardian,
        topic,
        ask=ask if needed else None,
        other=name_in_notices(ask.teen),
        what=words_of_ask(ask, language),
        holds=words_of_what_applies(ask.teen, ask.capability, language, pairing.guardian),
    )
    if needed:
        mail_soon(ask, pairing)


def words_of_what_applies(teen: Account, capability: str, language: str, reader: Account) -> str:
    """Return the value of a capability as this transaction leaves it, in words of a language.

    It is as the reader's pages show it. For the time per day it includes today's extra minutes.
    """
    language, shown = known_language(language), shown_values(teen, reader)
    decision = decide_afresh(teen, capability, shown)
    name = capability_words(capability, language, decision.names)
    if capability != TIME:
        return f"{name}: {effect_words(decision.effect, decision.kind, decision.code, language)}"
    minutes = minutes_with_extra(teen, local_now(teen, timezone.now()), shown)
    return f"{name}: {value_words(MINUTES, minutes, language)}"
