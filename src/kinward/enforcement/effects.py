"""The effects of actions: one entry each, with what the effect does and what people are told.

A new effect is a member of `models.Effect` and an entry here; docs/contributing/effect.md has the
rest.
"""

from enum import StrEnum
from typing import Final

import msgspec
from django.utils.translation import gettext_noop

from kinward.casebook.api import Act
from kinward.enforcement.models import Effect, Target


class Direction(StrEnum):
    """Whether an effect takes something from an account, gives it back, or tells it something."""

    TAKES = "takes"
    GIVES_BACK = "gives back"
    TELLS = "tells"


class EffectKind(msgspec.Struct, frozen=True, kw_only=True):
    """The properties of one effect.

    `act` has its gravity: a grave one needs a warrant. `targets` are the possible targets; effect
    and target together name a type of webhook, such as `content.remove`. `words` are the words of a
    statement of reasons, and `words_until` those for an effect that ends on a day. Both are
    translated, and empty if no statement mentions it.
    """

    act: Act
    direction: Direction
    targets: frozenset[Target]
    words: str = ""
    words_until: str = ""


EFFECTS: Final = {
    Effect.QUARANTINE: EffectKind(
        act=Act.QUARANTINE,
        direction=Direction.TAKES,
        targets=frozenset({Target.CONTENT}),
        words=gettext_noop("Something you posted has been hidden while we check it."),
    ),
    Effect.REMOVE: EffectKind(
        act=Act.REMOVE,
        direction=Direction.TAKES,
        targets=frozenset({Target.CONTENT}),
        words=gettext_noop("Something you posted has been removed."),
    ),
    Effect.RESTRICT: EffectKind(
        act=Act.RESTRICT,
        direction=Direction.TAKES,
        targets=frozenset({Target.ACCOUNT}),
        words=gettext_noop("This is no longer available to your account: {what}."),
        words_until=gettext_noop("This is not available to your account until {until}: {what}."),
    ),
    Effect.SUSPEND: EffectKind(
        act=Act.SUSPEND,
        direction=Direction.TAKES,
        targets=frozenset({Target.ACCOUNT}),
        words=gettext_noop("Your account is suspended."),
        words_until=gettext_noop("Your account is suspended until {until}."),
    ),
    Effect.TERMINATE: EffectKind(
        act=Act.TERMINATE,
        direction=Direction.TAKES,
        targets=frozenset({Target.ACCOUNT}),
        words=gettext_noop("Your account has been closed."),
    ),
    Effect.RESTORE: EffectKind(
        act=Act.RESTORE,
        direction=Direction.GIVES_BACK,
        targets=frozenset({Target.CONTENT, Target.ACCOUNT}),
    ),
    Effect.NOTIFY: EffectKind(
        act=Act.NOTIFY, direction=Direction.TELLS, targets=frozenset({Target.NOTICE})
    ),
}
WEBHOOK_TYPES: Final = frozenset(
    f"{target}.{effect}" for effect, kind in EFFECTS.items() for target in kind.targets
)
