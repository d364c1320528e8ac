"""Links and keywords in their normal forms."""

import re
from typing import Final

from kinward.ground.text import storable
from kinward.matching import keywords, links
from kinward.matching.kinds.kind import HashKind

_SCHEME: Final = re.compile(r"[a-z*]+:[/\\]+", re.IGNORECASE)
_END_OF_HOST: Final = re.compile(r"[/?#\\]")
_NETWORK: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}/[0-9]{1,2}")
_WILDCARD: Final = re.compile(r"[/?.]\*|[^=]\*$")
_COLUMNS: Final = re.compile(r"[\t;|]|,\S")
_HASH: Final = re.compile(r"[0-9A-Fa-f]{32,}")


def _refuse_what_is_no_url(text: str) -> None:
    """Raise `ValueError` for an entry that would match no URL, or others than its list means."""
    if text[:1] in ("'", '"', "<", "\u201c", "\u201e", "\u00ab"):
        raise ValueError("the URL is in quotes. Take them off")
    host = _END_OF_HOST.split(_SCHEME.sub("", text, count=1), maxsplit=1)[0]
    if "*" in host:
        raise ValueError("the host has a wildcard. Name the host: it covers all hosts below it")
    if "," in host:
        raise ValueError("the host has a comma. If this is a table, import it as csv")
    if "@" in host and not _SCHEME.match(text):
        raise ValueError("this is an e-mail address. As a URL it would cover its whole host")
    if host.startswith("."):
        raise ValueError("the host begins with a dot. Leave it out: a host covers all below it")
    if _NETWORK.fullmatch(text):
        raise ValueError("this is a network. Name its addresses")
    if _WILDCARD.search(text):
        raise ValueError("the URL has a wildcard. Leave it out: a URL covers all below it")


def _refuse_short_host(text: str, normal: str) -> None:
    """Raise `ValueError` for a number, or a word: no page of the internet has such a host."""
    host = _END_OF_HOST.split(normal, maxsplit=1)[0]
    if text.isdigit() or not ("." in host or host.startswith("[")):
        raise ValueError("the host has no dot, so this is no URL. Import words with keywords")


def _refuse_what_is_no_keyword(text: str) -> None:
    """Raise `ValueError` for an entry that would be found where its list does not mean it."""
    if "://" in text:
        raise ValueError("this is a URL. Import it with urls")
    if _HASH.fullmatch(text):
        raise ValueError("this is a hash. Import it as csv")
    if _COLUMNS.search(text):
        raise ValueError("the line has columns. Take all but the keyword out, or import it as csv")
    if "*" in text:
        raise ValueError("the keyword has a wildcard. Write each word: a keyword is a whole word")


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
        text = text.strip()
        _refuse_what_is_no_url(text)
        normal = links.listed_form(text)
        _refuse_short_host(text, normal)
        return normal.encode()

    def banked(self, text: str) -> bytes:
        return links.normal_form(text).encode()

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
        _refuse_what_is_no_keyword(text.strip())
        return self.banked(text)

    def banked(self, text: str) -> bytes:
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
