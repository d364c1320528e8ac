"""Marks as JSON, and the hashes of a partner's entry."""

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

import dacite
from threatexchange.exchanges.clients.ncmec import hash_api as ncmec
from threatexchange.signal_type.md5 import VideoMD5Signal
from threatexchange.signal_type.pdq.signal import PdqSignal
from threatexchange.signal_type.url import URLSignal

from kinward.exchanges.bounds import FeedUnreadable
from kinward.exchanges.partners.registry import manifest_of
from kinward.ground.text import storable
from kinward.matching.api import ListedHash, kind_named, listed

SIGNAL_TYPES: Final = (PdqSignal, VideoMD5Signal, URLSignal)
MAX_MARK: Final = 8192  # characters of a mark as JSON
MAX_HASHES: Final = 1000  # of one entry


def checkpoint_to_json(checkpoint: Any) -> Any:
    """Return a checkpoint of any interface as JSON; None if it has no fields.

    Raises `FeedUnreadable` if the partner's part of it is too long or no text.
    """
    if not dataclasses.fields(checkpoint):
        return None
    mark = dataclasses.asdict(checkpoint)
    text = json.dumps(mark, default=str, ensure_ascii=False)
    if len(text) > MAX_MARK or "\\u0000" in text or storable(text) != text:
        raise FeedUnreadable("The mark of its next page cannot be stored.")
    return mark


def checkpoint_from_json(api: Any, stored: Any) -> Any:
    """Return a stored checkpoint, from which a sync resumes; None if there is none."""
    if stored is None:
        return None
    cls = api.get_checkpoint_cls()
    return dacite.from_dict(cls, stored, dacite.Config(cast=[Enum, set]))


def signals(api: Any, extension: str, key: Any, value: Any) -> tuple[list[ListedHash], int]:
    """Return the hashes of one entry, and the number of those that could not be parsed."""
    good: list[ListedHash] = []
    rows = list(_rows(api, extension, key, value))
    if len(rows) > MAX_HASHES:
        raise FeedUnreadable(f"One entry has {len(rows):,} hashes.")
    for name, text, reference, label in rows:
        with contextlib.suppress(ValueError):
            good.append(listed(kind_named(name).name, text, reference, label))
    return good, len(rows) - len(good)


def _rows(api: Any, extension: str, key: Any, value: Any) -> Iterator[tuple[str, str, str, str]]:
    """Yield kind, value, reference and label of an entry's hashes, in the partner's form."""
    if isinstance(value, ncmec.NCMECEntryUpdate):
        only = api.collab.only_esp_ids
        if not only or value.member_id in only:
            for kind, text in value.fingerprints.items():
                yield kind, text, str(value.id), value.classification or ""
    elif isinstance(key, tuple):
        if not _is_disputed(value):
            yield str(key[0]), str(key[1]), "", ""
    else:
        types = [*SIGNAL_TYPES, *(manifest_of(extension).signal_types if extension else ())]
        signals_by_type = api.naive_convert_to_signal_type(types, api.collab, {key: value})
        for type_, texts in signals_by_type.items():
            for text, metadata in texts.items():
                if not _is_disputed(metadata):
                    yield type_.get_name(), text, str(key), ""


def _is_disputed(metadata: Any) -> bool:
    """Return whether all opinions on a signal say that it is wrong, and there are any."""
    opinions = [opinion.category.name for opinion in metadata.get_as_opinions()]
    return bool(opinions) and set(opinions) == {"NEGATIVE_CLASS"}
