"""Where something happened outside the platform, as a reviewer describes it for a report."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from kinward.ground.errors import Invalid
from kinward.reporting.api import (
    CellPhone,
    Chat,
    Game,
    Mail,
    Newsgroup,
    NonInternet,
    PeerToPeer,
    PlaceKind,
    WebPage,
)

MAX_WHERE: Final = 20
MAX_NAME: Final = 2000
MAX_ABOUT: Final = 3000

WHERE_KINDS: Final[dict[PlaceKind, str]] = {
    "pages": "Web pages (addresses, with spaces)",
    "mails": "E-mail (what it was about)",
    "newsgroups": "A newsgroup (its name)",
    "chats": "A chat room (its name)",
    "games": "An online game (its name)",
    "phones": "A phone (its number)",
    "offline": "Offline (the name of the place)",
    "peers": "Peer to peer (the program)",
}


class Where(msgspec.Struct, frozen=True):
    """One place: its kind, its name as `WHERE_KINDS` asks for it, and details."""

    kind: PlaceKind
    name: str = ""
    about: str = ""


def check_where(places: Sequence[Where]) -> None:
    """Raise `Invalid` if there are too many places, or a text is too long."""
    if len(places) > MAX_WHERE:
        raise Invalid(f"At most {MAX_WHERE} places where it happened.")
    for place in places:
        too_long = len(place.name) > MAX_NAME or len(place.about) > MAX_ABOUT
        if place.kind not in WHERE_KINDS or too_long:
            raise Invalid(
                f"Where it happened has a kind, a name of at most {MAX_NAME:,} characters, and at "
                f"most {MAX_ABOUT:,} about it."
            )


def incidents(places: Sequence[Where]) -> dict[str, Any]:
    """Return the places as a draft has them, by its fields.

    >>> incidents([Where("games", "Shapes", "In its lobby.")])
    {'games': [Game(name='Shapes', console='', content='', info='In its lobby.')]}
    """
    fields: dict[str, list[Any]] = {}
    for place in places:
        fields.setdefault(place.kind, []).append(_INCIDENTS[place.kind](place.name, place.about))
    return fields


_INCIDENTS: Final[dict[PlaceKind, Callable[[str, str], object]]] = {
    "pages": lambda name, about: WebPage(urls=name.split(), info=about),
    "mails": lambda name, about: Mail(content=about, info=name),
    "newsgroups": lambda name, about: Newsgroup(name=name, info=about),
    "chats": lambda name, about: Chat(room=name, info=about),
    "games": lambda name, about: Game(name=name, info=about),
    "phones": lambda name, about: CellPhone(number=name, info=about),
    "offline": lambda name, about: NonInternet(place=name, info=about),
    "peers": lambda name, about: PeerToPeer(client=name, info=about),
}
