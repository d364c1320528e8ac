"""The answer to one question: an effect, a value and the reasons, in words for the person."""

from typing import Any, Final, Literal

import msgspec

from kinward.policy.opening import ALWAYS_OPEN, CLOSES_THE_APP
from kinward.policy.sentences import LANGUAGES, capability_words, effect_words, reason_words
from kinward.policy.values import Value, ValueKind

Effect = Literal["deny", "limit", "allow"]
EFFECTS: Final[tuple[Effect, ...]] = ("deny", "limit", "allow")  # the most protective first
Layer = Literal["platform", "jurisdiction", "guardian", "self"]
LAYERS: Final[tuple[Layer, ...]] = ("platform", "jurisdiction", "guardian", "self")


class Reason(msgspec.Struct, frozen=True):
    """One reason: a stable code, and the values that fill its sentence."""

    code: str
    fill: tuple[tuple[str, str | int], ...] = ()

    def text(self, language: str) -> str:
        """Return the reason's sentence in a language of `LANGUAGES`."""
        return reason_words(self.code, language).format(**dict(self.fill))


class Decision:
    """What one person may do or see, and why. A decision never changes.

    `value` is in the words of the capability's kind, or None for an unknown capability. `rules` are
    the ids of the deciding rules, for the record and not for the person.
    """

    __slots__ = (
        *("capability", "effect", "value", "layer", "reasons", "obligations", "pack", "rules"),
        *("code", "kind", "names", "_json"),
    )

    def __init__(
        self,
        *,
        capability: str,
        effect: Effect,
        layer: Layer,
        reasons: tuple[Reason, ...],
        obligations: tuple[str, ...],
        pack: str,
        rules: tuple[str, ...] = (),
        code: int = 0,
        kind: ValueKind | None = None,
        names: dict[str, str] | None = None,
    ) -> None:
        self.capability, self.effect, self.layer = capability, effect, layer
        self.reasons, self.obligations, self.pack, self.rules = reasons, obligations, pack, rules
        self.code, self.kind, self.names = code, kind, names
        self.value: Value | None = None if kind is None else kind.value(code)
        self._json: dict[str, msgspec.Raw] = {}

    def __repr__(self) -> str:
        codes = ", ".join(reason.code for reason in self.reasons)
        return f"<{self.capability}: {self.effect} {self.value!r} by {self.layer} ({codes})>"

    def sentence(self, language: str = "en") -> str:
        """Return the outcome and its reasons, for the person, in a known language or English.

        >>> protective("dm.send", "teen-accounts 1", "state.unavailable").sentence("de")
        'Direktnachrichten senden: nicht möglich. Wir können das im Moment nicht prüfen.'
        """
        tongue = known_language(language)
        name = capability_words(self.capability, tongue, self.names)
        effect = effect_words(self.effect, self.kind, self.code, tongue)
        why = " ".join(reason.text(tongue) for reason in self.reasons)
        return f"{name}: {effect}. {why}"

    def as_dict(self, language: str = "en") -> dict[str, Any]:
        """Return the decision as the endpoint and the command print it.

        One that can close the app says what stays open all the same.
        """
        tongue = known_language(language)
        stays = {"always_open": ALWAYS_OPEN} if self.capability in CLOSES_THE_APP else {}
        return {
            "effect": self.effect,
            "value": self.value,
            "layer": self.layer,
            "reasons": [
                {"code": reason.code, "text": reason.text(tongue)} for reason in self.reasons
            ],
            "obligations": self.obligations,
            "sentence": self.sentence(tongue),
            "pack": self.pack,
            **stays,
        }

    def json(self, language: str = "en") -> msgspec.Raw:
        """Return the same as JSON, which is encoded once for each language."""
        tongue = known_language(language)
        encoded = self._json.get(tongue)
        if encoded is None:
            encoded = self._json[tongue] = msgspec.Raw(msgspec.json.encode(self.as_dict(tongue)))
        return encoded


def stricter(a: Decision, b: Decision) -> Decision:
    """Return the decision that permits less, of two on one question; `a` if neither does."""
    if a.effect != b.effect:
        return min(a, b, key=lambda decision: EFFECTS.index(decision.effect))
    if a.kind is None or a.kind != b.kind:
        return a
    return b if a.kind.strictest(a.code, b.code) == b.code != a.code else a


def known_language(language: str) -> str:
    """Return the language of ours for a tag: `de` for `de-AT`, and `en` for one we lack."""
    if language in LANGUAGES or not language:
        return language or "en"
    short = language.replace("_", "-").partition("-")[0].lower()
    return short if short in LANGUAGES else "en"


def protective(
    capability: str,
    pack: str,
    *codes: str,
    kind: ValueKind | None = None,
    names: dict[str, str] | None = None,
    obligations: tuple[str, ...] = (),
) -> Decision:
    """Return the most protective decision, for want of a better one. It never allows."""
    return Decision(
        capability=capability,
        effect="deny",
        layer="platform",
        reasons=tuple(Reason(code) for code in codes),
        obligations=obligations,
        pack=pack,
        code=0 if kind is None else kind.strictest_code,
        kind=kind,
        names=names,
    )
