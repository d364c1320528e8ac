"""The content of a family page: each setting of a teen, its meaning, its bounds and who set it."""

from typing import Any, Final, cast

import msgspec
from django.utils.translation import gettext as _

from kinward.experience.api import decide_everything, live, load_states, person_of
from kinward.families.asks.wording import words_of_value
from kinward.families.models import Choice, Pairing
from kinward.families.notices import name_in_notices
from kinward.families.pairing.power import rules_for
from kinward.families.pairing.proof import method_of
from kinward.families.screen_time.activity import counts_of
from kinward.families.screen_time.extra import Shown
from kinward.families.screen_time.usage import ScreenTime
from kinward.families.settings.choices import own_settings
from kinward.families.settings.groups import (
    GROUP_NAMES,
    SETTING_MEANINGS,
    Option,
    options,
    settings_by_group,
)
from kinward.families.settings.held import shown_values
from kinward.families.settings.settlement import choices_of
from kinward.families.visits.hours import Span, fields_of
from kinward.ground.names import isolated
from kinward.people.api import Account
from kinward.policy import (
    HOURS,
    MINUTES,
    WEEK,
    Bounds,
    Decision,
    Pack,
    Value,
    ValueKind,
    Weekly,
    bounds_in_general,
    capability_words,
    effect_words,
    known_language,
    proves,
    value_words,
)

SEEN: Final = ("posts", "comments", "messages", "searches", "new_followers")


class Row(msgspec.Struct, frozen=True):
    """One setting, as the reader of the page sees it, in the reader's language."""

    capability: str
    name: str
    now: str
    meaning: str
    set_by: str
    allowed: str
    why: str
    shape: str  # "choice", "minutes" or "hours"
    options: list[dict[str, Any]]
    asks: list[dict[str, Any]]  # looser values, for which a teen can ask
    week: list[Value]  # minutes a day, Monday first
    spans: list[Span]  # of most days, and an empty one to add another
    other_hours: list[str]  # of each day, Monday first; empty where it has the hours of most days
    moves: bool
    mine: bool  # whether the reader has chosen a value
    unproven: bool  # whether the reader could allow more with a proof of being the guardian


class Group(msgspec.Struct, frozen=True):
    """A group of settings."""

    name: str
    title: str
    rows: list[Row]


def groups_for(teen: Account, *, reader: Account, pairing: Pairing | None) -> list[Group]:
    """Return every setting of a teen, for a guardian (with the pairing) or for the teen (None).

    Empty if the pack in force is unusable.
    """
    pack = live().in_force().for_account(teen.platform_id)
    if pack is None:
        return []
    shown = shown_values(teen, reader)
    decisions = decide_everything(teen, pack, shown)
    page = _Page(teen, reader, pairing, pack, shown)
    return [
        Group(
            name,
            _(GROUP_NAMES[name]),
            [page.row(setting, decisions[setting]) for setting in settings],
        )
        for name, settings in settings_by_group(list(decisions))
    ]


class _Page:
    """The data that all rows of one page need."""

    def __init__(
        self,
        teen: Account,
        reader: Account,
        pairing: Pairing | None,
        pack: Pack,
        shown: Shown,
    ) -> None:
        self.teen, self.reader, self.pairing, self.pack = teen, reader, pairing, pack
        self.language = known_language(reader.language)
        self.proof = "" if pairing is None else method_of(reader, teen)
        held, only = (False, None) if shown is None else (shown.held, shown.only)
        self.choices = choices_of(teen, held=held, only=only)
        self.own = own_settings(teen)
        in_force = load_states([teen.platform_id])[teen.platform_id].guardian
        self.set_by_guardians = in_force if shown is None else shown.in_power

    def row(self, name: str, decision: Decision) -> Row:
        """Return the row of one capability."""
        kind, bounds = self._bounds(name)
        floor, cap, moves = self._reach(name, kind, bounds)
        own = self.pack.ruling.words(name)
        chosen = self._chosen(name)
        value = decision.value if chosen is None else chosen
        week = list(value) if isinstance(value, tuple | list) else [value] * WEEK
        spans, other_hours = fields_of(cast("Weekly", value)) if kind is HOURS else ([], [])
        return Row(
            capability=name,
            name=capability_words(name, self.language, own),
            now=self._now(decision, chosen, kind),
            meaning=_(SETTING_MEANINGS[name]) if name in SETTING_MEANINGS and own is None else "",
            set_by=self._set_by(name, decision),
            allowed=self._allowed(kind, floor, cap) if moves else "",
            why="" if moves else self._why(decision),
            shape={"minutes": "minutes", "hours": "hours"}.get(kind.name, "choice"),
            options=self._options(kind, options(kind, floor, cap, decision.code), decision),
            asks=self._asks(kind, bounds, decision),
            week=[_number(minutes) for minutes in week] if kind is MINUTES else [],
            spans=[*spans, ("", "")],
            other_hours=other_hours,
            moves=moves,
            mine=chosen is not None,
            unproven=self._is_unproven(kind, bounds),
        )

    def _bounds(self, name: str) -> tuple[ValueKind, Bounds]:
        kind = self.pack.capabilities[name].kind
        bounds = bounds_in_general(self.pack.ruling, name, person_of(self.teen))
        if bounds is None:
            nothing = kind.strictest_code
            return kind, Bounds(nothing, nothing, nothing, nothing, nothing, nothing, False, False)
        return kind, bounds

    def _reach(self, name: str, kind: ValueKind, bounds: Bounds) -> tuple[int, int, bool]:
        """Return floor, cap, and whether the reader may move the setting.

        A teen may always protect themselves more, and may not go beyond what guardians set.
        """
        if self.pairing is not None:
            floor, cap = bounds.guardian_floor, bounds.guardian_cap
            if self._is_unproven(kind, bounds):
                cap = kind.clamp(bounds.default, floor, cap)
            return floor, cap, bounds.guardian_moves and floor != cap
        cap = bounds.self_cap
        if name in self.set_by_guardians and bounds.guardian_moves:
            chosen = kind.code_on(self.set_by_guardians[name], None)
            cap = kind.clamp(chosen, bounds.guardian_floor, bounds.guardian_cap)
        return bounds.self_floor, cap, bounds.self_floor != cap

    def _is_unproven(self, kind: ValueKind, bounds: Bounds) -> bool:
        if self.pairing is None or not bounds.guardian_moves or proves(self.proof, bounds.proof):
            return False
        return kind.strictest(bounds.guardian_cap, bounds.default) != bounds.guardian_cap

    def _chosen(self, name: str) -> Any:
        if self.pairing is None:
            setting = self.own.get(name)
            return None if setting is None else setting.value
        choices = self.choices.get(name, [])
        own = [choice for choice in choices if choice.pairing_id == self.pairing.pk]
        return own[0].value if own else None

    def _now(self, decision: Decision, chosen: Any, kind: ValueKind) -> str:
        if isinstance(chosen, tuple | list) and len(set(chosen)) > 1:
            return words_of_value(kind, tuple(chosen), self.language)
        return effect_words(decision.effect, kind, decision.code, self.language)

    def _set_by(self, name: str, decision: Decision) -> str:
        """Return who set the value in force, by name where it was a guardian or the person."""
        if decision.layer == "jurisdiction":
            return _("Set by law")
        if decision.layer == "guardian":
            names = [self._name_of_guardian(choice) for choice in self.choices.get(name, [])]
            if not names:
                return _("Set by a guardian for a limited time")
            return _("Set by {names}").format(names=", ".join(dict.fromkeys(names)))
        if decision.layer == "self":
            return _("Set by {names}").format(
                names=_("you") if self.pairing is None else _shown_name(self.teen)
            )
        return _("Set by this community's rules")

    def _name_of_guardian(self, choice: Choice) -> str:
        guardian = choice.pairing.guardian
        return _("you") if guardian.pk == self.reader.pk else _shown_name(guardian)

    def _why(self, decision: Decision) -> str:
        sentences = [reason.text(self.language) for reason in decision.reasons]
        return " ".join([*sentences, _("It cannot be changed here.")])

    def _allowed(self, kind: ValueKind, floor: int, cap: int) -> str:
        ends = (value_words(kind, code, self.language) for code in (floor, cap))
        return _("Allowed: from “{floor}” to “{cap}”.").format(
            **dict(zip(("floor", "cap"), ends, strict=True))
        )

    def _options(
        self, kind: ValueKind, values: list[Option], decision: Decision
    ) -> list[dict[str, Any]]:
        return [
            {
                "value": option.value,
                "words": value_words(kind, option.code, self.language),
                "now": option.code == decision.code,
            }
            for option in values
        ]

    def _asks(self, kind: ValueKind, bounds: Bounds, decision: Decision) -> list[dict[str, Any]]:
        """Return the looser values, for which a teen has to ask a guardian."""
        if self.pairing is not None or not bounds.guardian_moves or kind is HOURS:
            return []
        values = options(kind, bounds.guardian_floor, bounds.guardian_cap, decision.code)
        return self._options(kind, [option for option in values if option.looser], decision)


def _number(value: Any) -> Any:
    return 1440 if value == "unlimited" else value


def counts_for(teen: Account, time: ScreenTime) -> list[tuple[str, int]]:
    """Return this week's counts with their names, as far as the pack shows them to guardians."""
    sees = rules_for(teen).guardian_sees
    counts = counts_of(teen, time.week[0][0], time.day)
    return [(SEEN_WORDS[name](), counts.get(name, 0)) for name in SEEN if name in sees]


SEEN_WORDS: Final = {
    "posts": lambda: _("Posts"),
    "comments": lambda: _("Comments"),
    "messages": lambda: _("Messages sent"),
    "searches": lambda: _("Searches"),
    "new_followers": lambda: _("New followers"),
}


def _shown_name(account: Account) -> str:
    return isolated(name_in_notices(account))


def seen_words(teen: Account) -> list[str]:
    """Return the words for what a guardian of this teen can see."""
    words = {
        "minutes": _("time spent in the app each day"),
        "settings": _("the settings"),
        "asks": _("requests, suggestions and answers"),
        "posts": _("the number of posts"),
        "comments": _("the number of comments"),
        "messages": _("the number of messages sent"),
        "searches": _("the number of searches"),
        "new_followers": _("the number of new followers"),
    }
    return [words[name] for name in rules_for(teen).guardian_sees]
