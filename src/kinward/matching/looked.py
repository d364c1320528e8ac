"""What a lookup covers: the kinds that it compared, and what it could not read."""

from collections.abc import Sequence

from kinward.ground.config import config
from kinward.ground.errors import KinwardError
from kinward.matching import links
from kinward.matching.kinds import KINDS, HashKind, Pdq, kind_named, kind_of
from kinward.matching.lookup import Survey, survey
from kinward.matching.models import BankedHash
from kinward.matching.services import values_of, views_looked_up
from kinward.media import Digests, Hashed


class KindUnmatched(KinwardError):
    """Kinward does not match this kind of hash, so it cannot say that a value is unknown."""

    code = "hash.kind_unmatched"
    status = 400


def says_too_little(digests: Digests | None) -> bool:
    """Return whether a digest was sent that is not looked up, since every empty file has it."""
    known = digests.known() if digests else []
    return any(kind_of(name).too_little(value) for name, value in known)


def kinds_looked_up(digests: Digests | None, hashed: Hashed | None) -> list[str]:
    """Return the names of the kinds that `look_up` compares for a file, as `KINDS` orders.

    A carried kind is never among them.
    """
    values = values_of(digests, hashed)
    compared = {name for name, value in values if kind_of(name).exact(value)}
    if hashed and views_looked_up(hashed):
        compared.add(hashed.kind if kind_of(hashed.kind).near else Pdq.name)
    return [kind.name for kind in KINDS if kind.name in compared]


def matched_kind(text: str) -> HashKind:
    """Return a kind that lookups compare, by any of its names. Raises `KindUnmatched`."""
    try:
        kind = kind_named(text)
    except ValueError as error:
        raise KindUnmatched(f"{error}.") from error
    if not kind.matched:
        raise KindUnmatched(f"It is none of {', '.join(known.name for known in KINDS)}.")
    return kind


def search_value(name: str, text: str) -> tuple[HashKind, bytes, Survey]:
    """Return a kind, a banked value, and what it meets, for staff who search the banks.

    Of a carried kind, only the identical value is found. Raises `ValueError`, and `KindUnmatched`
    for a name that no bank has.
    """
    kind = kind_named(name)
    if not kind.matched and not BankedHash.objects.filter(kind=kind.name).exists():
        raise KindUnmatched(f"No bank has the kind {kind.name!r} either.")
    value = kind.ask(text)
    return kind, value, survey([(kind.name, value)])


def unread_links(urls: Sequence[str]) -> list[int]:
    """Return the positions of the URLs that `look_up_links` ignores, since it cannot read them."""
    return [at for at, url in enumerate(urls) if not _is_readable(url)]


def cut_links(urls: Sequence[str]) -> list[int]:
    """Return the positions of the URLs that `look_up_links` reads, but not to their end."""
    inside = config().read_redirects
    readable = [at for at, url in enumerate(urls) if _is_readable(url)]
    return [at for at in readable if not links.entire(urls[at], inside=inside)]


def _is_readable(url: str) -> bool:
    try:
        return bool(links.forms(url))
    except ValueError:
        return False
