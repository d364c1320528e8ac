"""Which borders a change of an age crosses, and which word about an age outweighs which. Pure."""

from typing import Final

from kinward.policy.ages import GROWN, AgeRange, Assurance

# Every age that a rule could ask for, in any pack. A change is judged by all of them, since the
# next pack may draw its borders elsewhere.
BORDERS: Final = range(1, GROWN + 1)

# From the weakest word about an age to the strongest. A guardian vouches for a person, and an
# estimate does not.
STRENGTHS: Final[tuple[Assurance, ...]] = (
    "none",
    "declared",
    "estimated",
    "guardian",
    "verified",
)


def crossed(was: AgeRange, now: AgeRange) -> list[int]:
    """Return the ages for which "have they reached it?" has another answer than before.

    The answer is yes, no or unknown.

    >>> crossed(AgeRange(14, 15), AgeRange(30, 31))
    [15, 16, 17, 18, 19, 20, 21]
    >>> crossed(AgeRange(30, 31), AgeRange(31, 32))
    []
    >>> crossed(AgeRange(0, 150), AgeRange(18, 150))[-2:]
    [17, 18]
    """
    return [age for age in BORDERS if _reached(was, age) != _reached(now, age)]


def _reached(known: AgeRange, age: int) -> bool | None:
    if known.lower >= age:
        return True
    return False if known.upper <= age else None


def outweighs(word: Assurance, other: Assurance) -> bool:
    """Return whether a word about an age may take the place of another: it is no weaker.

    >>> outweighs("declared", "guardian"), outweighs("guardian", "estimated")
    (False, True)
    """
    return STRENGTHS.index(word) >= STRENGTHS.index(other)


def stronger(word: Assurance, other: Assurance) -> Assurance:
    """Return the stronger of two words about an age."""
    return word if outweighs(word, other) else other


def only_lowers(now: AgeRange, was: AgeRange) -> bool:
    """Return whether a change makes nobody older: both bounds stay or sink.

    >>> known = AgeRange(13, 16)
    >>> only_lowers(AgeRange(12, 16), known), only_lowers(AgeRange(12, 17), known)
    (True, False)
    """
    return now.lower <= was.lower and now.upper <= was.upper
