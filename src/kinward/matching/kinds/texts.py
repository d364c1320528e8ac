"""Links and keywords in their normal forms."""

import re
from typing import Final

from kinward.ground.text import storable
from kinward.matching import keywords, links
from kinward.matching.kinds.kind import HashKind

_SCHEME: Final = re.compile(r"[a-z*]+:[/\\]+", re.IGNORECASE)
_END_OF_HOST: Final = re.compile(r"[/?#\\]")


def _refuse_what_covers_nothing(text: str) -> None:
    """Raise `ValueError` for an entry that would be banked and match no URL."""
    if text[:1] in ("'", '"', "<", "\u201c", "\u201e", "\u00ab"):
        raise ValueError("the URL is in quotes. Take them off")
    host = _END_OF_HOST.split(_SCHEME.sub("", text, count=1), maxsplit=1)[0]
    if "*" in host:
        raise ValueError("the host has a wildcard. Name the host: it covers all hosts below it")
    if "," in host:
        raise ValueError("the host has a comma. If this is a table, import it as csv")


class Text(HashKind):
    """A kind whose values are UTF-8."""

    def write(self, value: bytes) -> str:
        return value.decode()


class Url(Text):
    """A URL in its normal form. It covers every page below it."""

    name = "url"
    aliases = ("raw_uri", "uri")
    examples = ("example.org", "other.example/a/b?q=1")

    def parse(self, text: str) -> bytes:
        _refuse_what_covers_nothing(text.strip())
        return links.listed_form(text).encode()

    def ask(self, text: str) -> bytes:
        """Return a URL as it is written: its normal form has no fragment."""
        links.normal_form(text)
        return storable(text).encode()

    def exact(self, value: bytes) -> list[bytes]:
        return [form.encode() for form in links.forms(value.decode())]

    def carried(self, value: bytes) -> list[bytes]:
        return [form.encode() for form in links.forms(value.decode(), inside=True)]

    def entire(self, value: bytes, *, carried: bool) -> bool:
        return links.entire(value.decode(), inside=carried)

    def in_words(self, bank: str, distance: int) -> str:
        return f"Is covered by a link of {bank}."


class Keyword(Text):
    """A keyword in its normal form."""

    name = "keyword"
    aliases = ("trend_query",)
    examples = ("sea shell", "lighthouse")

    def parse(self, text: str) -> bytes:
        text = text.strip()
        normal = keywords.normal_form(text[: keywords.MAX_KEYWORD])
        if len(normal) < 2 or len(text) > keywords.MAX_KEYWORD:
            raise ValueError(f"a keyword has 2 to {keywords.MAX_KEYWORD} letters")
        return normal.encode()

    def ask(self, text: str) -> bytes:
        """Return a text as it is written: its normal form does not show a disguise."""
        if len(keywords.normal_form(text)) < 2 or len(text) > keywords.MAX_TEXT:
            raise ValueError(f"a text has 2 letters or more, and at most {keywords.MAX_TEXT:,}")
        return storable(text).encode()

    def exact(self, value: bytes) -> list[bytes]:
        return []

    def text(self, value: bytes) -> str:
        return value.decode()

    def in_words(self, bank: str, distance: int) -> str:
        return f"Has a keyword of {bank}."
