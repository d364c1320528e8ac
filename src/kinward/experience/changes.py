"""What a significant change of the app brings, as the operator names it."""

from functools import cache

from kinward.ground.config import config


def brought_by_change() -> frozenset[str]:
    """Return the capabilities that wait for a guardian's consent. None named means all of them."""
    return _names(config().change_brings)


@cache
def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())
