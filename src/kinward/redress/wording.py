"""What a statement says, in the account holder's language: plain, never why something matched."""

from datetime import UTC, datetime
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from kinward.enforcement.api import EFFECTS, Effect
from kinward.policy import capability_words, known_language
from kinward.redress.models import AppealState, Stage, Statement

# What a verdict can come to that is no effect on anything.
MILD: Final = {
    "keep": gettext_noop("What you posted stays up."),
    "warn": gettext_noop("This is a warning. If it happens again, there will be consequences."),
}


def statement_sentences(statement: Statement) -> list[str]:
    """A statement, sentence by sentence: what was done, why, found how, and how to appeal."""
    language = known_language(statement.language)
    with override(language):
        said = [_decision(each, language) for each in _once(statement.decisions)]
        if statement.stage == Stage.AT_ONCE:
            return [*said, _("A person will review it, and you will hear from us.")]
        clause = {"code": statement.clause, "title": statement.title}
        said.append(_("It goes against our guidelines: {code}, {title}.").format(**clause))
        said.append(
            _("Someone reported it to us.")
            if statement.reported
            else _("Our automated systems found it.")
        )
        said.append(
            _("The decision was made automatically.")
            if statement.automatic
            else _("A person reviewed it and made the decision.")
        )
        if statement.appeal_until is not None:
            until = _day(statement.appeal_until)
            said.append(
                _(
                    "If you think this is wrong, you can appeal until {until}. "
                    "Another person will then decide."
                ).format(until=until)
            )
        return said


def _once(decisions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The decisions without those that would be said in the same words."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for each in decisions:
        found.setdefault((each["effect"], str(each.get("until"))), each)
    return list(found.values())


def _decision(each: dict[str, Any], language: str) -> str:
    effect, until = each["effect"], each.get("until")
    day = _day(datetime.fromisoformat(until)) if until else ""
    what = ", ".join(
        capability_words(name, language, None) for name in each.get("capabilities", [])
    )
    if effect in MILD:
        return _(MILD[effect])
    kind = EFFECTS[Effect(effect)]
    return _(kind.words_until if day else kind.words).format(until=day, what=what)


def reversal(statement: Statement) -> list[str]:
    """What is said when everything was given back."""
    with override(known_language(statement.language)):
        if statement.stage == Stage.AT_ONCE:
            said = _("A person reviewed it and found nothing wrong.")
        else:
            said = _("Another person reviewed our decision and found that it was wrong.")
        return [said, _("Everything has been restored. We are sorry.")]


def upheld(statement: Statement) -> list[str]:
    """What is said when an appeal was not won."""
    with override(known_language(statement.language)):
        return [_("Another person reviewed our decision and confirmed it.")]


def state_words(state: str) -> str:
    """An appeal's state in a word or two, in the language of the page."""
    return {
        AppealState.WAITING: _("a person will review it"),
        AppealState.UPHELD: _("the decision stands"),
        AppealState.OVERTURNED: _("everything has been restored"),
    }[AppealState(state)]


def _day(at: datetime) -> str:
    return date_format(at.astimezone(UTC), "DATE_FORMAT", use_l10n=True)
