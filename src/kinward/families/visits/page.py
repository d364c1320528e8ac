"""What a family page shows of a teen: each setting, who set it, what is allowed, what it means."""

from typing import Any, Final

import msgspec
from django.utils.translation import gettext as _

from kinward.experience.api import decide_everything, live, person_of
from kinward.families.asks.asks import words_of_value
from kinward.families.models import Choice, Pairing
from kinward.families.notices import name_in_notices
from kinward.families.pairing.power import rules_for
from kinward.families.screen_time.usage import ScreenTime
from kinward.families.settings.choices import own_settings
from kinward.families.settings.groups import GROUP_NAMES, SETTING_MEANINGS, Option, options, ordered
from kinward.families.settings.settlement import choices_of
from kinward.families.visits.activity import counts_of
from kinward.people.api import Account
from kinward.policy import (
    ALWAYS,
    HOURS,
    MINUTES,
    SLOTS,
    WEEK,
    Bounds,
    Decision,
    Pack,
    Value,
    ValueKind,
    bounds_in_general,
    capability_words,
    clock,
    effect_words,
    known_language,
    value_words,
)

SEEN: Final = ("posts", "comments", "messages", "searches", "new_followers")


class Row(msgspec.Struct, frozen=True):
    """One setting, from the side of whoever reads the page. Texts are in their language."""

    capability: str
    name: str
    now: str
    meaning: str
    set_by: str
    allowed: str
    why: str
    shape: str  # "choice", "minutes" or "hours"
    options: list[dict[str, Any]]
    asks: list[dict[str, Any]]  # what a teen can ask a guardian for
    week: list[Value]  # minutes a day, Monday first
    hours: tuple[str, str]
    moves: bool
    mine: bool  # whether whoever reads has chosen something here


class Group(msgspec.Struct, frozen=True):
    """Settings that belong together."""

    name: str
    title: str
    rows: list[Row]


def groups_for(teen: Account, *, reader: Account, pairing: Pairing | None) -> list[Group]:
    """Every setting of a teen, for a guardian (with the pairing) or for the teen."""
    pack = live().in_force().for_account(teen.platform_id)
    if pack is None:
        return []
    decisions = decide_everything(teen, pack)
    page = _Page(teen, reader, pairing, pack)
    return [
        Group(name, _(GROUP_NAMES[name]), [page.row(each, decisions[each]) for each in those])
        for name, those in ordered(list(decisions))
    ]


class _Page:
    """What the rows of one page share."""

    def __init__(self, teen: Account, reader: Account, pairing: Pairing | None, pack: Pack) -> None:
        self.teen, self.reader, self.pairing, self.pack = teen, reader, pairing, pack
        self.language = known_language(reader.language)
        self.choices = choices_of(teen)
        self.own = own_settings(teen)

    def row(self, name: str, decision: Decision) -> Row:
        """One setting."""
        kind, bounds = self._bounds(name)
        floor, cap, moves = self._reach(kind, bounds, decision)
        own = self.pack.ruling.words(name)
        chosen = self._chosen(name)
        held = decision.value if chosen is None else chosen
        week = list(held) if isinstance(held, tuple | list) else [held] * WEEK
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
            week=[_number(each) for each in week] if kind is MINUTES else [],
            hours=_span(kind, decision.code),
            moves=moves,
            mine=chosen is not None,
        )

    def _bounds(self, name: str) -> tuple[ValueKind, Bounds]:
        kind = self.pack.capabilities[name].kind
        bounds = bounds_in_general(self.pack.ruling, name, person_of(self.teen))
        if bounds is None:
            nothing = kind.strictest_code
            return kind, Bounds(nothing, nothing, nothing, nothing, nothing, nothing, False, False)
        return kind, bounds

    def _reach(self, kind: ValueKind, bounds: Bounds, decision: Decision) -> tuple[int, int, bool]:
        """How far whoever reads may move it: the teen not beyond what a guardian set."""
        if self.pairing is not None:
            floor, cap = bounds.guardian_floor, bounds.guardian_cap
            return floor, cap, bounds.guardian_moves and floor != cap
        floor, cap = bounds.self_floor, bounds.self_cap
        chosen = self.choices.get(decision.capability, [])
        for each in chosen:
            cap = kind.strictest(cap, kind.code_on(each.value, None))
        floor = kind.strictest(floor, cap)
        return floor, cap, floor != cap

    def _chosen(self, name: str) -> Any:
        if self.pairing is None:
            made = self.own.get(name)
            return None if made is None else made.value
        mine = [each for each in self.choices.get(name, []) if each.pairing_id == self.pairing.pk]
        return mine[0].value if mine else None

    def _now(self, decision: Decision, chosen: Any, kind: ValueKind) -> str:
        said = effect_words(decision.effect, kind, decision.code, self.language)
        if isinstance(chosen, tuple | list) and len(set(chosen)) > 1:
            said = words_of_value(kind, tuple(chosen), self.language)
        return said

    def _set_by(self, name: str, decision: Decision) -> str:
        """Who decided it, by name where it was a guardian."""
        if decision.layer == "jurisdiction":
            return _("Set by law")
        if decision.layer == "guardian":
            names = [self._called(each) for each in self.choices.get(name, [])]
            if not names:
                return _("Set by a guardian for a limited time")
            return _("Set by {names}").format(names=", ".join(dict.fromkeys(names)))
        if decision.layer == "self":
            return _("Set by {names}").format(
                names=_("you") if self.pairing is None else name_in_notices(self.teen)
            )
        return _("Set by this community's rules")

    def _called(self, choice: Choice) -> str:
        guardian = choice.pairing.guardian
        return _("you") if guardian.pk == self.reader.pk else name_in_notices(guardian)

    def _why(self, decision: Decision) -> str:
        said = [each.text(self.language) for each in decision.reasons]
        return " ".join([*said, _("It cannot be changed here.")])

    def _allowed(self, kind: ValueKind, floor: int, cap: int) -> str:
        ends = (value_words(kind, each, self.language) for each in (floor, cap))
        return _("Allowed: from “{floor}” to “{cap}”.").format(
            **dict(zip(("floor", "cap"), ends, strict=True))
        )

    def _options(
        self, kind: ValueKind, found: list[Option], decision: Decision
    ) -> list[dict[str, Any]]:
        return [
            {
                "value": each.value,
                "words": value_words(kind, each.code, self.language),
                "now": each.code == decision.code,
            }
            for each in found
        ]

    def _asks(self, kind: ValueKind, bounds: Bounds, decision: Decision) -> list[dict[str, Any]]:
        """What only a guardian can open for the teen."""
        if self.pairing is not None or not bounds.guardian_moves or kind is HOURS:
            return []
        found = options(kind, bounds.guardian_floor, bounds.guardian_cap, decision.code)
        return self._options(kind, [each for each in found if each.looser], decision)


def _number(value: Any) -> Any:
    return 1440 if value == "unlimited" else value


def _span(kind: ValueKind, code: int) -> tuple[str, str]:
    """The first span of hours, as two times; of other kinds, nothing."""
    if kind is not HOURS:
        return ("", "")
    if code in (0, ALWAYS):
        return ("00:00", "24:00") if code else ("00:00", "00:00")
    rotated = next(
        slot for slot in range(SLOTS) if code >> slot & 1 and not code >> (slot - 1) % SLOTS & 1
    )
    end = rotated
    while code >> end % SLOTS & 1:
        end += 1
    return clock(rotated), clock(end % SLOTS or SLOTS)


def counts_for(teen: Account, time: ScreenTime) -> list[tuple[str, int]]:
    """The counts of the week that the pack lets a guardian see, with their words."""
    sees = rules_for(teen).guardian_sees
    counts = counts_of(teen, time.week[0][0], time.day)
    return [(SEEN_WORDS[each](), counts.get(each, 0)) for each in SEEN if each in sees]


SEEN_WORDS: Final = {
    "posts": lambda: _("Posts"),
    "comments": lambda: _("Comments"),
    "messages": lambda: _("Messages sent"),
    "searches": lambda: _("Searches"),
    "new_followers": lambda: _("New followers"),
}


def seen_words(teen: Account) -> list[str]:
    """What a guardian of this teen can see, in words."""
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
    return [words[each] for each in rules_for(teen).guardian_sees]
