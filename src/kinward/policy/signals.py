"""Age signals: what Apple, Google and wallets answer, read as an age range.

Each adapter carries the day on which somebody last held it to its source. Whatever an adapter does
not know it names, and such a thing never makes anybody older or better proven.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from kinward.ground.text import printable
from kinward.policy.ages import MAX_AGE, AgeRange, Assurance, day_of

Answer = Mapping[str, Any]
Note = Callable[[str], None]  # takes what an adapter could not read, such as "userStatus=NEW"

# The day on which each adapter was last held to its source, by the name of the source.
CHECKED: Final = {
    "apple": date(2026, 11, 26),
    "app-store": date(2026, 11, 26),  # notifications, which `kinward.consents` reads
    "permission-kit": date(2026, 11, 26),  # consent for a change, which `policy.consent` reads
    "google-play": date(2026, 11, 26),
    "openid4vp": date(2026, 11, 26),
    "eu-wallet": date(2026, 11, 26),
    "agekey": date(2026, 11, 26),
}
EU_WALLET: Final = "eu-wallet"
AGEKEY: Final = "agekey"
PROVEN_HERE: Final = frozenset({EU_WALLET, AGEKEY})  # the sources that Kinward verifies itself
_ID_TOKEN: Final = frozenset(
    {
        *("iss", "sub", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "sid"),
        *("auth_time", "acr", "amr", "at_hash", "c_hash", "age_thresholds"),
    }
)
STALE_DAYS: Final = 90  # after which the doctor asks that somebody read the source again
MAX_FIELDS: Final = 40
MAX_SHOWN: Final = 60  # characters of one note
ADULT: Final = 18


def _ignore(note: str) -> None:
    """Drop a note."""


# -- Apple -----------------------------------------------------------------------------------------

# `ageRangeDeclaration`, except a guardian's. A word that is new to us proves nothing.
_APPLE: Final[dict[str, Assurance]] = {
    "selfDeclared": "declared",
    "governmentIDChecked": "verified",
    "paymentChecked": "estimated",
    "checkedByOtherMethod": "estimated",
    "guardianDeclared": "guardian",
    "guardianPaymentChecked": "guardian",
    "guardianGovernmentIDChecked": "guardian",
    "guardianCheckedByOtherMethod": "guardian",
}
_APPLE_FIELDS: Final = frozenset(
    {
        *("lowerBound", "upperBound", "ageRangeDeclaration", "declined"),
        *("activeParentalControls", "requiredRegulatoryFeatures"),
    }
)
# What the law of the person's place asks of the app. None of it says anything about an age.
_FEATURES: Final = frozenset(
    {
        "declaredAgeRangeRequired",
        "significantAppChangeRequiresParentalConsent",
        "significantAppChangeRequiresAdultNotification",
    }
)


def from_apple(answer: Answer, note: Note = _ignore) -> AgeRange:
    """Read Apple's Declared Age Range: `lowerBound`, `upperBound` (inclusive), the declaration.

    Either bound may be absent. Somebody who declines has an unknown age. Raises `ValueError` for a
    bound that is no age, and for bounds in the wrong order. Source: Apple, DeclaredAgeRange, as of
    iOS 26.4.

    >>> from_apple({"lowerBound": 13, "upperBound": 15, "ageRangeDeclaration": "guardianDeclared"})
    AgeRange(lower=13, upper=16, source='apple', assurance='guardian', changes_on=None)
    """
    name_unknown(answer, _APPLE_FIELDS, note)
    features = answer.get("requiredRegulatoryFeatures")
    for feature in features if isinstance(features, list) else filter(None, [features]):
        if not isinstance(feature, str) or feature not in _FEATURES:
            note(shown("requiredRegulatoryFeatures", feature))
    lower, upper, declined = (answer.get(x) for x in ("lowerBound", "upperBound", "declined"))
    told = lower is not None or upper is not None
    if declined and told:
        note("declined with an age")
    elif declined is not None and not isinstance(declined, bool):
        note(shown("declined", declined))
    if declined or not told:
        return AgeRange(0, MAX_AGE, "apple", "none")
    how = answer.get("ageRangeDeclaration")
    assurance = _APPLE.get(how) if isinstance(how, str) else None
    if assurance is None and how is not None:
        note(shown("ageRangeDeclaration", how))
    return _range(lower, upper, "apple", assurance or "declared")


# -- Google Play -----------------------------------------------------------------------------------

# Until 0.0.3: `userStatus`, by name or as Android's integer.
_STATUSES: Final = (
    "VERIFIED",
    "SUPERVISED",
    "SUPERVISED_APPROVAL_PENDING",
    "SUPERVISED_APPROVAL_DENIED",
    "UNKNOWN",
    "DECLARED",
)
_BY_STATUS: Final[dict[str, Assurance]] = {
    "VERIFIED": "verified",
    "SUPERVISED": "guardian",
    "SUPERVISED_APPROVAL_PENDING": "guardian",
    "SUPERVISED_APPROVAL_DENIED": "guardian",
    "UNKNOWN": "none",
    "DECLARED": "declared",
}
# Since 0.0.4: three enumerations. Android counts each from 1, and 0 is "unspecified".
_SHARING: Final = ("UNSPECIFIED", "SHARED", "NOT_SHARED", "VERIFICATION_REQUIRED")
_TIERS: Final = ("UNSPECIFIED", "TIER_A", "TIER_B", "TIER_C", "TIER_D")
_CHANGES: Final = ("UNSPECIFIED", "APPROVED", "PENDING", "DECLINED")
_BY_TIER: Final[dict[str, Assurance]] = {
    "TIER_A": "declared",  # by the person
    "TIER_B": "guardian",  # managed by a guardian
    "TIER_C": "estimated",  # a card, an e-mail address, a selfie, an ID or a tax number
    "TIER_D": "verified",  # an ID and a selfie, or a digital ID
}
_OLD_FIELDS: Final = frozenset(
    {"userStatus", "ageLower", "ageUpper", "mostRecentApprovalDate", "installId"}
)
_NEW_FIELDS: Final = frozenset(
    {
        "ageSignalsStatus",
        "ageRangeSource",
        "ageLower",
        "ageUpper",
        "significantChangeStatus",
        "significantChangeApprovalDate",
        "installId",
    }
)
# The fields with the day of the newest approval, the newer name first.
APPROVAL_DAYS: Final = ("significantChangeApprovalDate", "mostRecentApprovalDate")
_UNKNOWN_TO_PLAY: Final = AgeRange(0, MAX_AGE, "google-play", "none")


def from_google(answer: Answer, note: Note = _ignore) -> AgeRange:
    """Read Google Play Age Signals, in the shape of 0.0.4 or of an older version.

    0.0.4 has `ageSignalsStatus`, `ageRangeSource`, `ageLower`, `ageUpper` (inclusive) and
    `significantChangeStatus`. Older versions have `userStatus`, of which VERIFIED means over 18.
    Each enumeration comes by name or as Android's integer. A status or a source that is new to us,
    or an answer that contradicts itself, means an unknown age. A range is no consent. So a
    capability that needs a guardian's consent stays closed until a guardian's setting opens it,
    whatever the status of a change. Raises `ValueError` for a bound that is no age, and for bounds
    in the wrong order. Source: developer.android.com, Play Age Signals, 0.0.4 of July 2026.

    >>> from_google({"ageSignalsStatus": "SHARED", "ageRangeSource": "TIER_D", "ageLower": 18})
    AgeRange(lower=18, upper=150, source='google-play', assurance='verified', changes_on=None)
    >>> from_google({"userStatus": "SUPERVISED", "ageLower": 13, "ageUpper": 15}).assurance
    'guardian'
    """
    new = not answer.keys().isdisjoint(_NEW_FIELDS - _OLD_FIELDS)
    name_unknown(answer, _NEW_FIELDS | _OLD_FIELDS if new else _OLD_FIELDS, note)
    for name in APPROVAL_DAYS:
        if answer.get(name) is not None and day_of(answer[name]) is None:
            note(shown(name, answer[name]))
    age = _range(answer.get("ageLower"), answer.get("ageUpper"), "google-play", "none")
    if new and answer.get("userStatus") is not None:
        note("userStatus beside the fields of 0.0.4")
        return _UNKNOWN_TO_PLAY
    return _by_tier(answer, age, note) if new else _by_status(answer, age, note)


def google_words(answer: Answer) -> dict[str, str]:
    """Return the words of an answer's enumerations that are known.

    `readable` is there, and not empty, if the answer has nothing unknown and no contradiction.
    """
    unknown: list[str] = []
    new = not answer.keys().isdisjoint(_NEW_FIELDS - _OLD_FIELDS)
    try:
        from_google(answer, unknown.append)
    except ValueError as error:
        unknown.append(str(error))
    enumerations = {
        "userStatus": _STATUSES,
        "ageSignalsStatus": _SHARING,
        "ageRangeSource": _TIERS,
        "significantChangeStatus": _CHANGES,
    }
    found = {name: _word(answer, name, words, _ignore) for name, words in enumerations.items()}
    if new and answer.get("userStatus") is not None:
        unknown.append("userStatus beside the fields of 0.0.4")
    return found | ({} if unknown else {"readable": "yes"})


def _by_status(answer: Answer, age: AgeRange, note: Note) -> AgeRange:
    assurance = _BY_STATUS.get(_word(answer, "userStatus", _STATUSES, note), "none")
    if assurance == "none":
        return _UNKNOWN_TO_PLAY
    if assurance != "verified":
        return AgeRange(age.lower, age.upper, age.source, assurance)
    told_lower = answer.get("ageLower") is not None
    if age.upper <= ADULT or (told_lower and age.lower < ADULT):
        note("userStatus=VERIFIED with the bounds of a minor")
        return _UNKNOWN_TO_PLAY
    return AgeRange(ADULT, MAX_AGE, "google-play", assurance)


def _by_tier(answer: Answer, age: AgeRange, note: Note) -> AgeRange:
    shared = _word(answer, "ageSignalsStatus", _SHARING, note)
    tier = _word(answer, "ageRangeSource", _TIERS, note)
    _word(answer, "significantChangeStatus", _CHANGES, note)
    told = answer.get("ageLower") is not None or answer.get("ageUpper") is not None
    if shared in {"NOT_SHARED", "VERIFICATION_REQUIRED"} and (tier or told):
        note(f"ageSignalsStatus={shared} with an age")
    if (shared and shared != "SHARED") or tier not in _BY_TIER or not told:
        return _UNKNOWN_TO_PLAY
    if not shared and answer.get("ageSignalsStatus") is not None:
        return _UNKNOWN_TO_PLAY
    return AgeRange(age.lower, age.upper, age.source, _BY_TIER[tier])


def _word(answer: Answer, field: str, words: tuple[str, ...], note: Note) -> str:
    """Return the word of an enumeration, or an empty text if there is none or it is new to us."""
    value = answer.get(field)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(words):
        value = words[value]
    if value is None or value == "UNSPECIFIED":
        return ""
    if isinstance(value, str) and value in words:
        return value
    note(shown(field, value))
    return ""


# -- wallets ---------------------------------------------------------------------------------------


def from_openid4vp(claims: Answer, note: Note = _ignore) -> AgeRange:
    """Read the `age_over_NN` claims of a verified OpenID4VP presentation (ISO/IEC 18013-5, 7.2.5).

    A true claim is a lower bound and a false one an upper bound. The caller must have verified the
    presentation itself, because the assurance is always `verified`. Raises `ValueError` for a claim
    that is neither, and for claims that contradict each other.

    >>> from_openid4vp({"age_over_16": True, "age_over_18": False})
    AgeRange(lower=16, upper=18, source='openid4vp', assurance='verified', changes_on=None)
    """
    _bound(claims)
    lower, upper = 0, MAX_AGE
    for name, holds in claims.items():
        match = re.fullmatch(r"age_over_(\d{1,2})", name, re.ASCII)
        if match is None:
            note(shown(name))
            continue
        if not isinstance(holds, bool):
            raise ValueError(f"{name} is true or false")
        years = int(match[1])
        lower, upper = (max(lower, years), upper) if holds else (lower, min(upper, years))
    if (lower, upper) == (0, MAX_AGE):
        return AgeRange(0, MAX_AGE, "openid4vp", "none")
    return AgeRange(lower, upper, "openid4vp", "verified")


# -- proofs that Kinward itself verified -----------------------------------------------------------


def from_eu_wallet(claims: Answer, note: Note = _ignore) -> AgeRange:
    """Read the claims of an attestation in the EU's age-verification profile, verified here.

    As `from_openid4vp`. Source: the profile's Annex A, at its version 13ce5551.

    >>> from_eu_wallet({"age_over_18": True})
    AgeRange(lower=18, upper=150, source='eu-wallet', assurance='verified', changes_on=None)
    """
    age = from_openid4vp(claims, note)
    return AgeRange(age.lower, age.upper, EU_WALLET, age.assurance)


def from_agekey(claims: Answer, note: Note = _ignore) -> AgeRange:
    """Read the claim `age_thresholds` of an AgeKey's ID token, verified here.

    A true threshold is a lower bound. A false one is none: nobody has shown it yet. An AgeKey may
    rest on a card or on a selfie, so its assurance is `estimated`. Raises `ValueError` for
    thresholds that contradict each other. Source: docs.agekey.org.

    >>> from_agekey({"age_thresholds": {"13": True, "18": False}})
    AgeRange(lower=13, upper=150, source='agekey', assurance='estimated', changes_on=None)
    """
    name_unknown(claims, _ID_TOKEN, note)
    thresholds = claims.get("age_thresholds", {})
    if not isinstance(thresholds, Mapping):
        raise ValueError("age_thresholds has ages, each true or false")
    _bound(thresholds)
    reached, missed = [0], [MAX_AGE]
    for name, holds in thresholds.items():
        if not isinstance(name, str) or re.fullmatch(r"\d{1,2}", name, re.ASCII) is None:
            note(shown(f"age_thresholds.{name}"))
        elif not isinstance(holds, bool):
            raise ValueError("age_thresholds has ages, each true or false")
        else:
            (reached if holds else missed).append(int(name))
    if max(reached) >= min(missed):
        raise ValueError("age_thresholds contradicts itself")
    lower = max(reached)
    return AgeRange(lower, MAX_AGE, AGEKEY, "estimated" if lower else "none")


# -- what all have in common -----------------------------------------------------------------------


def _bound(answer: Answer) -> None:
    if len(answer) > MAX_FIELDS:
        raise ValueError(f"an age signal has at most {MAX_FIELDS} fields")


def name_unknown(answer: Answer, known: frozenset[str], note: Note) -> None:
    """Note each field of an answer that is not known. Raises `ValueError` for too many fields."""
    _bound(answer)
    for name in answer.keys() - known:
        note(shown(name))


def shown(field: str, value: object = None) -> str:
    """Return a field, with its value if it has a short one, as a note of printable characters."""
    words = field if value is None else f"{field}={value if _is_short(value) else '…'}"
    return printable(words)[:MAX_SHOWN]


def _is_short(value: object) -> bool:
    return isinstance(value, str | int | float | bool)


def _range(lower: Any, upper: Any, source: str, assurance: Assurance) -> AgeRange:
    """Return inclusive bounds, of which either may be absent, as a half-open range."""
    for bound in (lower, upper):
        if bound is not None and (not isinstance(bound, int) or isinstance(bound, bool)):
            raise ValueError("an age bound is a whole number of years")
    first = 0 if lower is None else lower
    return AgeRange(first, MAX_AGE if upper is None else min(upper + 1, MAX_AGE), source, assurance)
