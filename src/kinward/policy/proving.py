"""The methods by which a platform knows that an adult is a teen's guardian. Pure."""

from typing import Final, Literal

Method = Literal["declared", "estimated", "card", "id", "wallet", "school", "court"]

# From the weakest to the strongest. The first two show nothing that only a guardian has. A card, a
# document and a wallet show who it is that declares it. A school and a court know it themselves.
METHODS: Final[tuple[Method, ...]] = (
    *("declared", "estimated", "card", "id", "wallet"),
    *("school", "court"),
)


def proves(method: str, need: str) -> bool:
    """Return whether a method is as strong as the one that is needed. Empty is the weakest.

    >>> proves("court", "card"), proves("card", "card"), proves("", "declared"), proves("", "")
    (True, True, False, True)
    """
    return _rank(method) >= _rank(need)


def stronger_proof(method: str, other: str) -> str:
    """Return the stronger of two methods.

    >>> stronger_proof("card", "wallet"), stronger_proof("", "declared")
    ('wallet', 'declared')
    """
    return method if proves(method, other) else other


def _rank(method: str) -> int:
    return METHODS.index(method) if method in METHODS else -1  # what nobody knows proves nothing
