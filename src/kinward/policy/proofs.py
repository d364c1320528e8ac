"""How a proof of age settles with what is already known about an account."""

from typing import Final

from kinward.policy.ages import ASSURANCES, AgeRange, Assurance
from kinward.policy.borders import only_lowers, outweighs

# Somebody vouches for this age: a guardian, or an earlier proof.
VOUCHED: Final = frozenset({"guardian", "verified"})


def settled(
    known: AgeRange, proof: AgeRange, strength: Assurance = "none"
) -> tuple[AgeRange, bool]:
    """Return the age that a proof leaves, and whether the proof fits what is known.

    A proof is of whoever held the wallet. So it replaces an age that is only declared or estimated,
    and narrows one that somebody vouches for. It never makes a person older whom a guardian or an
    earlier proof knows to be younger. Who is proven younger than that has an unknown age.

    `strength` is how strong a word has to be to make this person older. It may be that of a word
    which is no longer known. A weaker proof than that leaves what is known.

    >>> verified = AgeRange(18, 150, "eu-wallet", "verified")
    >>> settled(AgeRange(15, 16), verified)[0].lower
    18
    >>> settled(AgeRange(13, 16, "guardian", "guardian"), verified)
    (AgeRange(lower=13, upper=16, source='guardian', assurance='guardian', changes_on=None), False)
    """
    if known.assurance not in VOUCHED and _rank(proof) >= _rank(known):
        enough = outweighs(proof.assurance, strength) or only_lowers(proof, known)
        return (proof, True) if enough else (known, False)
    lower, upper = max(known.lower, proof.lower), min(known.upper, proof.upper)
    if lower >= upper and proof.lower >= known.upper:
        return known, False
    if lower >= upper:
        return AgeRange(proof.lower, known.upper, proof.source, "none"), False
    if proof.assurance != "verified" or (lower, upper) == (known.lower, known.upper):
        return known, True
    if (lower, upper) == (proof.lower, proof.upper):
        return proof, True
    kept = upper == known.upper  # and with it the day on which it is reached
    narrowed = AgeRange(
        lower,
        upper,
        known.source,
        min(known.assurance, proof.assurance, key=ASSURANCES.index),
        known.changes_on if kept else None,
        known.leap_day and kept,
    )
    return narrowed, True


def _rank(age: AgeRange) -> int:
    return ASSURANCES.index(age.assurance)
