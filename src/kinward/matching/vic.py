"""Reading Project VIC's JSON (the VICS data model, 1.x and 2.0): case files and hash sets. Pure.

Files can be larger than memory and are streamed. What a category means is the data model's and the
country's: a hash is taken only if the caller named its category, and it is labelled with both.
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
    """Every hash of these categories, and every entry that is not one, in order."""
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
    """The data model's name, and where in the file the media are."""
    model = "vic"
    for prefix, event, value in ijson.parse(file):
        if event == "string" and prefix in CONTEXTS and (named := _MODEL.search(value)):
            model = " ".join(each for each in ("vic", *named.groups()) if each)
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
    given = [(name.lower(), media[name]) for name in COLUMNS if media.get(name)]
    others = media.get("AlternativeHashes") or ()
    given += [(kind_named(str(other["HashName"])).name, other["HashValue"]) for other in others]
    if not given:
        raise ValueError("no hash")
    for kind, text in given:
        yield listed(kind, str(text), reference, label)
