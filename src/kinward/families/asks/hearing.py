"""Who hears of an answer to a teen's ask: the teen, and each guardian of what it changes.

A guardian hears what was asked and what applies afterwards, never who answered it, a reason or a
note.
"""

from collections.abc import Collection

from django.utils import timezone

from kinward.experience.api import decide_afresh
from kinward.families.asks.mailing import mail_soon
from kinward.families.asks.wording import words_of_ask
from kinward.families.models import Ask, Pairing
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.power import has_power, live_pairings
from kinward.families.screen_time.extra import TIME, minutes_with_extra
from kinward.families.screen_time.usage import local_now
from kinward.people.api import Account
from kinward.policy import MINUTES, capability_words, effect_words, known_language, value_words


def tell_of_answer(
    ask: Ask, pairing: Pairing, said: str, *, missing: Collection[Pairing], took_back: bool
) -> None:
    """Tell the teen of an answer, and the other guardians of a yes and of a grant taken back.

    `missing` are the pairings whose yes the ask still waits for.
    """
    topic = "yes.waits" if missing else said
    what = words_of_ask(ask, ask.teen.language)
    tell(ask.teen, topic, other=name_in_notices(pairing.guardian), what=what)
    if said != "yes" and not took_back:
        return
    for other in live_pairings().select_related("guardian", "teen").filter(teen=ask.teen):
        if other.pk != pairing.pk and has_power(other):
            _tell_guardian(ask, other, _topic(other, missing, took_back))


def _topic(other: Pairing, missing: Collection[Pairing], took_back: bool) -> str:
    if took_back:
        return "yes.ended"
    if not missing:
        return "yes.heard"
    return "yes.needed" if other.pk in {pairing.pk for pairing in missing} else "yes.pending"


def _tell_guardian(ask: Ask, pairing: Pairing, topic: str) -> None:
    language = pairing.guardian.language
    needed = topic == "yes.needed"
    tell(
        pairing.guardian,
        topic,
        ask=ask if needed else None,
        other=name_in_notices(ask.teen),
        what=words_of_ask(ask, language),
        holds=words_of_what_applies(ask.teen, ask.capability, language),
    )
    if needed:
        mail_soon(ask, pairing)


def words_of_what_applies(teen: Account, capability: str, language: str) -> str:
    """Return the value of a capability as this transaction leaves it, in words of a language.

    For the time per day it includes today's extra minutes.
    """
    language = known_language(language)
    decision = decide_afresh(teen, capability)
    name = capability_words(capability, language, decision.names)
    if capability != TIME:
        return f"{name}: {effect_words(decision.effect, decision.kind, decision.code, language)}"
    minutes = minutes_with_extra(teen, local_now(teen, timezone.now()))
    return f"{name}: {value_words(MINUTES, minutes, language)}"
