"""The words of a statement, in the account holder's language. They never say what matched."""

from datetime import UTC, datetime
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from kinward.enforcement.api import EFFECTS, Effect
from kinward.policy import capability_words, known_language
from kinward.redress.models import AppealState, Stage, Statement

# The consequences that have no effect on anything.
MILD: Final = {
    "keep": gettext_noop("What you posted stays up."),
    "warn": gettext_noop("This is a warning. If it happens again, there will be consequences."),
}


def statement_sentences(statement: Statement) -> list[str]:
    """Return a statement's sentences: what was done and why, how it was found, how to appeal."""
    language = known_language(statement.language)
    with override(language):
        sentences = [_decision(decision, language) for decision in _once(statement.decisions)]
        if statement.stage == Stage.AT_ONCE:
            return [*sentences, _("A person will review it, and you will hear from us.")]
        clause = {"code": statement.clause, "title": statement.title}
        sentences.append(_("It breaks our guidelines: {code}, {title}.").format(**clause))
        sentences.append(
            _("Someone reported it to us.")
            if statement.reported
            else _("Our automated systems found it.")
        )
        sentences.append(
            _("The decision was made automatically.")
            if statement.automatic
            else _("A person reviewed it and made the decision.")
        )
        if statement.appeal_until is not None:
            until = _day(statement.appeal_until)
            sentences.append(
                _(
                    "If you think this is wrong, you can appeal until {until}. "
                    "Another person will then decide."
                ).format(until=until)
            )
        return sentences


def _once(decisions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the decisions without those that read the same."""
    distinct: dict[tuple[str, str], dict[str, Any]] = {}
    for decision in decisions:
        distinct.setdefault((decision["effect"], str(decision.get("until"))), decision)
    return list(distinct.values())


def _decision(decision: dict[str, Any], language: str) -> str:
    effect, until = decision["effect"], decision.get("until")
    day = _day(datetime.fromisoformat(until)) if until else ""
    what = ", ".join(
        capability_words(name, language, None) for name in decision.get("capabilities", [])
    )
    if effect in MILD:
        return _(MILD[effect])
    kind = EFFECTS[Effect(effect)]
    return _((day and kind.words_until) or kind.words).format(until=day, what=what)


def reversal(statement: Statement) -> list[str]:
    """Return the sentences that tell that everything was given back."""
    with override(known_language(statement.language)):
        if statement.stage == Stage.AT_ONCE:
            reason = _("A person reviewed it and found nothing wrong.")
        else:
            reason = _("Another person reviewed our decision and found that it was wrong.")
        return [reason, _("Everything has been restored. We are sorry.")]


def upheld(statement: Statement) -> list[str]:
    """Return the sentences that tell that an appeal was not won."""
    with override(known_language(statement.language)):
        return [_("Another person reviewed our decision and confirmed it.")]


def state_words(state: str) -> str:
    """Return an appeal's state in a few words, in the language of the page."""
    return {
        AppealState.WAITING: _("a person will review it"),
        AppealState.UPHELD: _("the decision stands"),
        AppealState.OVERTURNED: _("everything has been restored"),
    }[AppealState(state)]


def _day(at: datetime) -> str:
    return date_format(at.astimezone(UTC), "DATE_FORMAT", use_l10n=True)
