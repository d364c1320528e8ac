"""The vocabulary of an authority: it limits the case page's choices and the reports. Pure."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal, get_args

import msgspec

from kinward.guidelines import Incident
from kinward.reporting.draft import Draft

# The places of an incident outside the platform. Each is a field of a draft.
PlaceKind = Literal["pages", "mails", "newsgroups", "chats", "games", "phones", "offline", "peers"]

EVERY_INCIDENT: Final[frozenset[Incident]] = frozenset(get_args(Incident))
EVERY_PLACE: Final[frozenset[PlaceKind]] = frozenset(get_args(PlaceKind))
# The scale that platforms and hash lists share.
INDUSTRY_CLASSES: Final = ("A1", "A2", "B1", "B2")
# Labels of a report. An authority may have others, or other names for these.
COMMON_ANNOTATIONS: Final = {
    "sextortion": "Sextortion",
    "solicitation": "Solicitation of material",
    "between minors": "Between minors",
    "spam": "Spam",
    "sadistic exploitation": "Sadistic online exploitation",
}


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """The words that a report to an authority can use.

    `classes` are for files. `annotations` are for reports, with their words for a reviewer. A
    report about an incident outside `incidents` waits for a person. A place outside `places` is
    described in the report's free text.
    """

    classes: tuple[str, ...] = ()
    annotations: dict[str, str] = {}
    incidents: frozenset[Incident] = EVERY_INCIDENT
    places: frozenset[PlaceKind] = EVERY_PLACE


def narrow_draft(
    draft: Draft, words: Vocabulary, prior: Callable[[Sequence[str]], list[str]]
) -> Draft:
    """Limit a draft to one authority's vocabulary. Places outside it become text."""
    elsewhere = {kind: getattr(draft, kind) for kind in EVERY_PLACE - words.places}
    told = [_in_words(kind, place) for kind in sorted(elsewhere) for place in elsewhere[kind]]
    return msgspec.structs.replace(
        draft,
        account=msgspec.structs.replace(
            draft.account, prior_reports=[*prior([str(n) for n in draft.account.prior_reports])]
        ),
        files=[
            file
            if file.classification in words.classes
            else msgspec.structs.replace(file, classification="")
            for file in draft.files
        ],
        annotations=[name for name in draft.annotations if name in words.annotations],
        additional_info="\n".join(filter(None, (draft.additional_info, *told))),
        **{kind: [] for kind in elsewhere},
    )


def _in_words(kind: PlaceKind, place: object) -> str:
    facts: dict[str, object] = msgspec.to_builtins(place)
    words = ", ".join(
        f"{name} {fact}" for name, fact in facts.items() if fact not in ("", None, [])
    )
    return f"It happened elsewhere, too ({kind}): {words}."


def merge_vocabularies(vocabularies: Iterable[Vocabulary]) -> Vocabulary:
    """Merge the vocabularies of several authorities; each word once, in the order of the first.

    >>> tide, reef = Vocabulary(classes=("1", "2")), Vocabulary(classes=("2", "3"))
    >>> merge_vocabularies([tide, reef]).classes
    ('1', '2', '3')
    """
    known = list(vocabularies)
    annotations: dict[str, str] = {}
    for vocabulary in known:
        annotations = vocabulary.annotations | annotations
    return Vocabulary(
        classes=tuple(dict.fromkeys(name for vocabulary in known for name in vocabulary.classes)),
        annotations=annotations,
        incidents=frozenset().union(*(vocabulary.incidents for vocabulary in known)),
        places=frozenset().union(*(vocabulary.places for vocabulary in known)),
    )
