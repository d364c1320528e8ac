"""`POST /v1/text`: whether a bank knows a text or a link. Kinward keeps neither."""

from typing import Final, Literal

import msgspec

from kinward.gate.calls import Call
from kinward.matching.api import MAX_LINKS, MAX_TEXT, MAX_URL, look_up_links, look_up_text

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
    """Whether a bank knows a keyword in the text, or one of the URLs."""

    outcome: Literal["known", "clear"]


def check_text(call: Call[Text]) -> TextChecked:
    """Check whether the text has a banked keyword, or a banked URL covers one of the URLs."""
    text, urls = call.body.text, call.body.urls
    known = (text and look_up_text(text)) or look_up_links(urls)
    return TextChecked("known" if known else "clear")
