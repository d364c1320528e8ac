"""The one text of an identifier that accounts share, so that equal ones have equal hashes. Pure."""

import re
import unicodedata
from contextlib import suppress
from typing import Literal

from kinward.ground.addresses import normal_address
from kinward.ground.errors import Invalid
from kinward.ground.names import without_unseen

IdentifierKind = Literal["device", "email", "phone", "payment", "link"]


def normal_identifier(kind: IdentifierKind, value: str) -> str:
    r"""Return the one text of an identifier, regardless of case, width and invisible letters.

    >>> normal_identifier("email", " Ann@B\u00fccher.Example. ")
    'ann@xn--bcher-kva.example'
    >>> normal_identifier("phone", "tel:0049 (170) 12-34"), normal_identifier("link", "::1%a")
    ('+491701234', '::1')
    """
    compatible = unicodedata.normalize("NFKC", without_unseen(value)).casefold()
    text = " ".join(unicodedata.normalize("NFKC", compatible).split())
    if kind == "email":
        return _mail(text)
    if kind == "phone":
        return _phone(text)
    with suppress(Invalid):
        return normal_address(text)
    return text


def earlier_identifier(value: str) -> str:
    """Return the text of which versions before this one kept the hash.

    >>> earlier_identifier(" Ann  B ")
    'ann b'
    """
    return " ".join(value.split()).casefold()


def _mail(text: str) -> str:
    name, mark, host = text.rpartition("@")
    host = host.rstrip(".")
    with suppress(UnicodeError):
        host = host.encode("idna").decode()
    return f"{name}{mark}{host}"


def _phone(text: str) -> str:
    bare = re.sub(r"[\s().\-\u2010-\u2015/]", "", text.removeprefix("tel:"))
    if not re.fullmatch(r"\+?[0-9]+", bare):
        return text
    return f"+{bare[2:]}" if bare.startswith("00") else bare
