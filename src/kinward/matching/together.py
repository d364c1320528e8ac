"""Many files looked up with few queries. What hits anything is looked up by itself."""

from collections import defaultdict
from collections.abc import Sequence

from kinward.matching.index import bank_index
from kinward.matching.kinds import FILE_KINDS, kind_of
from kinward.matching.lookup import TURNS, turned
from kinward.matching.services import Upload, digest
from kinward.matching.sql import find_live
from kinward.media import View, views_of


def untouched(uploads: Sequence[Upload]) -> list[bool]:
    """Return of each upload whether no banked hash in force is near or equal to any of its hashes.

    Such an upload is clear by any bank's rules. An upload that is touched may still be clear: only
    `survey` tells. In the caller's transaction, after `sharing(LOOKING_UP)`.
    """
    touched = _near(uploads) | _equal(uploads)
    return [at not in touched and _plain(upload) for at, upload in enumerate(uploads)]


def _plain(upload: Upload) -> bool:
    return all(name in FILE_KINDS for name, _ in upload.values)


def _near(uploads: Sequence[Upload]) -> set[int]:
    """Return the places of the uploads of which a view is near a banked hash."""
    views: list[View] = []
    owners: list[int] = []
    for at, upload in enumerate(uploads):
        shown = upload.views or [
            view for name, value in upload.values for view in views_of(kind_of(name).asked(value))
        ]
        views += shown
        owners += [at] * len(shown)
    if not views:
        return set()
    return {owners[hit.query // TURNS] for hit in bank_index().search(turned(views))}


def _equal(uploads: Sequence[Upload]) -> set[int]:
    """Return the places of the uploads of which a hash is equal to a banked one."""
    owners: dict[tuple[str, bytes], list[int]] = defaultdict(list)
    for at, upload in enumerate(uploads):
        for name, value in upload.values:
            for form in kind_of(name).exact(value):
                owners[name, digest(form)].append(at)
    return {at for pair in find_live(owners) for at in owners[pair]}
