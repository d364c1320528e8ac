"""Reader of Project VIC's JSON (the VICS data model, 1.x and 2.0): case files and hash sets. Pure.

Files are streamed, because they can be larger than memory. The meaning of a category depends on the
data model and the country. So only hashes of the categories that the caller names are read, and
each is labelled with its model and category.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any, BinaryIO, Final

import ijson

from kinward.matching.hashlists import BadRow, ListedHash, listed
from kinward.matching.kinds import kind_named

BOM: Final = b"\xef\xbb\xbf"
COLUMNS: Final = ("MD5", "SHA1")
CONTEXTS: Final = ("@odata.context", "odata.metadata")
_MODEL: Final = re.compile(r"DataModels/([\d.]+)\.xml(?:/([A-Za-z]+))?")


def read_vic(file: BinaryIO, categories: Collection[int]) -> Iterator[ListedHash | BadRow]:
    """Yield every hash of these categories and every bad entry, in order."""
    number = 0
    try:
        start = len(BOM) if file.read(len(BOM)) == BOM else 0
        file.seek(start)
        model, prefix = _shape(file)
        file.seek(start)
        for number, media in enumerate(ijson.items(file, prefix), 1):
            try:
                yield from _hashes(media, model, categories)
            except (ValueError, TypeError, AttributeError) as error:
                yield BadRow(number, str(error))
    except ijson.JSONError as error:
        yield BadRow(number + 1, f"the file is cut off or not JSON: {error}"[:200])


def _shape(file: BinaryIO) -> tuple[str, str]:
    """Return the name of the data model, and the path of the media in the file."""
    model = "vic"
    for prefix, event, value in ijson.parse(file):
        if event == "string" and prefix in CONTEXTS and (named := _MODEL.search(value)):
            model = " ".join(part for part in ("vic", *named.groups()) if part)
        if (prefix, event) == ("value.item.Media", "start_array"):
            return model, "value.item.Media.item"
        if (prefix, value) in (("value.item", "MD5"), ("value.item", "MediaID")):
            break
    return model, "value.item"


def _hashes(media: dict[str, Any], model: str, categories: Collection[int]) -> Iterator[ListedHash]:
    category = media.get("Category")
    if category is None or int(category) not in categories:
        return
    label, reference = f"{model}: {int(category)}", str(media.get("MediaID") or "")
    values = [(name.lower(), media[name]) for name in COLUMNS if media.get(name)]
    others = media.get("AlternativeHashes") or ()
    values += [(kind_named(str(other["HashName"])).name, other["HashValue"]) for other in others]
    if not values:
        raise ValueError("no hash")
    for kind, text in values:
        yield listed(kind, str(text), reference, label)
