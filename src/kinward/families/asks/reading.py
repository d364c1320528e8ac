"""What each reader of a page sees of an ask: its words go only to those they are for."""

from datetime import datetime

import msgspec
from django.utils import timezone
from django.utils.translation import gettext as _

from kinward.families.asks.addressing import sees_ask
from kinward.families.asks.grants import may_say_yes
from kinward.families.asks.wording import words_of_ask
from kinward.families.models import OPEN_ASKS, Answer, Ask, AskState, Pairing
from kinward.families.notices import name_in_notices
from kinward.families.pairing.homes import are_apart
from kinward.families.pairing.power import live_pairings, shows_power
from kinward.families.settings.grant_order import yeses_of
from kinward.families.settings.held import sees_held
from kinward.families.settings.looks import is_passing, state_for
from kinward.ground.names import isolated
from kinward.people.api import Account


class AnswerView(msgspec.Struct, frozen=True):
    """An answer as a reader sees it. `note` is empty if it is not for the reader."""

    who: str
    answer: str
    note: str


class AskView(msgspec.Struct, frozen=True):
    """An ask or a proposal as a reader sees it. `reason` is empty if it is not for the reader.

    `state` is that of the ask as it looks to the reader.
    `readers` names who else reads the reason of the reader's own ask.
    `step` is what the reader can do: "answer", "again" for somebody whose yes waits for another
    guardian's, "withdraw", "stop", or nothing ("").
    """

    ask: Ask
    state: str
    until: datetime | None
    what: str
    by: str
    reason: str
    readers: str
    answers: list[AnswerView]
    step: str
    may_yes: bool  # whether the reader is proven for what a yes would give


def view_of_ask(ask: Ask, *, reader: Account, pairing: Pairing | None) -> AskView:
    """Return an ask for a guardian, with their pairing, or for the teen (None)."""
    sees = sees_held(ask.teen, reader)
    state = state_for(ask, sees=sees)
    return AskView(
        ask=ask,
        state=state,
        until=ask.until if state in (AskState.GRANTED, AskState.ENDED) else None,
        what=words_of_ask(ask, reader.language),
        by=_name(ask.proposed_by, ask, pairing),
        reason=ask.reason if _reads_reason(ask, pairing) else "",
        readers=_readers(ask) if pairing is None and ask.proposed_by_id is None else "",
        answers=[
            AnswerView(
                _name(answer.pairing, ask, pairing),
                answer.answer,
                answer.note if _reads_note(answer, ask, pairing) else "",
            )
            for answer in _answers(ask, sees=sees)
            if pairing is None or answer.pairing is None or not are_apart(answer.pairing, pairing)
        ],
        step=_possible_step(ask, pairing, sees=sees),
        may_yes=pairing is None or ask.proposed_by is not None or may_say_yes(pairing, ask),
    )


def _answers(ask: Ask, *, sees: bool) -> list[Answer]:
    """Return the answers that a reader sees. None comes after a no that ended it as it looks."""
    answers = list(ask.answers.all())  # oldest first
    if not sees or ask.looks != AskState.REFUSED:
        return answers
    quiet = [number for number, each in enumerate(answers) if each.pairing and each.pairing.quiet]
    return answers[: max(quiet, default=-1) + 1]


def _name(by: Pairing | None, ask: Ask, reader: Pairing | None) -> str:
    """Return who asked or answered: the teen if `by` is None. Guardians read no other's name."""
    if by is None:
        return isolated(name_in_notices(ask.teen))
    if reader is not None and by.pk != reader.pk:
        return _("another guardian")
    return isolated(name_in_notices(by.guardian))


def _readers(ask: Ask) -> str:
    names = [isolated(name_in_notices(pairing.guardian)) for pairing in ask.readers.all()]
    if not names:
        return _("Only you can read this.")
    return _("Read by {names}").format(names=", ".join(names))


def _reads_reason(ask: Ask, reader: Pairing | None) -> bool:
    if reader is None:
        return True
    if ask.proposed_by_id is not None:
        return ask.proposed_by_id == reader.pk
    return reader.pk in {pairing.pk for pairing in ask.readers.all()}


def _reads_note(answer: Answer, ask: Ask, reader: Pairing | None) -> bool:
    """Whether a note is the reader's own or was written to them."""
    if reader is None:
        return True
    writer = answer.pairing_id or ask.proposed_by_id  # a teen's note is for who proposed
    return writer == reader.pk


def _possible_step(ask: Ask, pairing: Pairing | None, *, sees: bool) -> str:
    proposed = ask.proposed_by is not None
    if state_for(ask, sees=sees) in OPEN_ASKS:
        if proposed:
            own = pairing is not None and ask.proposed_by_id == pairing.pk
            return "answer" if pairing is None else ("withdraw" if own else "")
        if pairing is None:
            return "withdraw"
        return "again" if pairing.pk in yeses_of(ask, held=True) else "answer"
    if pairing is not None and not proposed and is_passing(ask, sees=sees):
        return "stop"
    return ""


def open_asks(guardian: Account) -> list[AskView]:
    """Return the asks of all of a guardian's teens that wait for this guardian, oldest first."""
    pairings = live_pairings().select_related("guardian", "teen").filter(guardian=guardian)
    powerful = {pairing.teen_id: pairing for pairing in pairings if shows_power(pairing)}
    asks = (
        Ask.objects.select_related("teen")
        .prefetch_related("answers__pairing__guardian", "readers__guardian")
        .filter(
            teen__in=powerful,
            proposed_by=None,
            state__in=(*OPEN_ASKS, AskState.GRANTED),  # which may look open
            lapses_at__gt=timezone.now(),
        )
        .order_by("made_at")
    )
    views = [
        view_of_ask(ask, reader=guardian, pairing=powerful[ask.teen_id])
        for ask in asks
        if sees_ask(powerful[ask.teen_id], ask)
    ]
    return [view for view in views if view.step == "answer"]
