"""The questions of the bench: the same people and contacts for every engine, from one seed."""

import random
from typing import Any, NamedTuple

CAPABILITIES = ("account.join", "dm.send", "live.host", "profile.discoverable", "feed.personalised")
PLACES = ("", "DE", "AU", "US")
RELATIONSHIPS = ("family", "follower", "stranger", "blocked")


class Question(NamedTuple):
    capability: str
    age: int
    place: str
    relationship: str
    other_age: int

    def attributes(self) -> dict[str, Any]:
        return self._asdict()


def questions(count: int, seed: int = 1) -> list[Question]:
    chosen = random.Random(seed)
    return [
        Question(
            chosen.choice(CAPABILITIES),
            chosen.randrange(8, 60),
            chosen.choice(PLACES),
            chosen.choice(RELATIONSHIPS),
            chosen.randrange(8, 60),
        )
        for _ in range(count)
    ]
