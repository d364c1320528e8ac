"""`POST /v1/text`: whether a bank knows a text or a link. Kinward keeps neither."""

from typing import Final, Literal

import msgspec

from kinward.gate.calls import Call
from kinward.ground.errors import Invalid
from kinward.matching.api import (
    MAX_LINKS,
    MAX_TEXT,
    MAX_URL,
    BankNotAsked,
    Keyword,
    TextUnread,
    Url,
    cut_links,
    look_up_links,
    look_up_text,
    require_asked,
    unread_links,
)

MAX_TEXT_BODY: Final = 256 * 1024


class Text(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A text, such as a search query, and URLs in it or beside it."""

    text: str = ""
    urls: list[str] = []

    def __post_init__(self) -> None:
        if not self.text and not self.urls:
            raise ValueError("send `text`, `urls` or both")
        if len(self.text) > MAX_TEXT or len(self.urls) > MAX_LINKS:
            raise ValueError(f"send at most {MAX_TEXT:,} characters and {MAX_LINKS} URLs")
        if any(len(url) > MAX_URL for url in self.urls):
            raise ValueError(f"a URL has at most {MAX_URL:,} characters")


class TextChecked(msgspec.Struct, frozen=True):
    """Whether a bank knows a keyword in the text, or one of the URLs.

    `checked`: `keyword` if the text was searched, `url` if a URL was looked up. `unread_urls`: the
    positions, from 0, of URLs that cannot be read, or not to their end. `not_checked`: codes of
    errors, which say why the text was not searched, or a URL not looked up, to its end, or in every
    bank.
    """

    outcome: Literal["known", "clear"]
    checked: list[str]
    unread_urls: list[int]
    not_checked: list[str]


def check_text(call: Call[Text]) -> TextChecked:
    """Check whether the text has a banked keyword, or a banked URL covers one of the URLs."""
    text, urls = call.body.text, call.body.urls
    unread = unread_links(urls)
    readable = [url for at, url in enumerate(urls) if at not in unread]
    if not text and not readable:
        raise Invalid("None of the URLs can be read, so nothing was looked up.")
    known = look_up_links(readable)
    kinds = [Url.name] * bool(readable) + [Keyword.name] * bool(text)
    checked, not_checked = [Url.name] * bool(readable), list[str]()
    if text:
        try:
            known += look_up_text(text)
            checked.insert(0, Keyword.name)
        except TextUnread as error:
            if not readable:
                raise
            not_checked.append(error.code)
    cut = cut_links(urls)
    if cut and TextUnread.code not in not_checked:
        not_checked.append(TextUnread.code)
    if not known:
        try:
            require_asked(kinds, (), None)
        except BankNotAsked as error:
            not_checked.append(error.code)
    where = sorted([*unread, *cut])
    return TextChecked("known" if known else "clear", checked, where, not_checked)
