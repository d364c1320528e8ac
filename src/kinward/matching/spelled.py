"""URLs as they come out of texts: in quotes or brackets, and with characters that nobody sees."""

import re
from typing import Final

_BREAKS: Final = re.compile(r"[\t\r\n]")
# What no screen shows. The two joiners are apart, since names in some languages need them.
_UNSEEN_SET: Final = (
    "\\x00-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b"
    "\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb"
    "\\U0001bca0-\\U0001bca3\\U0001d173-\\U0001d17a\\U000e0000-\\U000e0fff"
)
_UNSEEN: Final = re.compile(f"[{_UNSEEN_SET}]+")
_JOINERS: Final = re.compile("[\u200c\u200d]+")
_BEFORE: Final = re.compile(f"^[{_UNSEEN_SET}\u200c\u200d\\s/\\\\]+")
_AFTER: Final = re.compile(f"[{_UNSEEN_SET}\u200c\u200d\\s]+$")
_HEAD: Final = re.compile(r"(?:[^/?#\\:]*:[/\\]*)?[^/?#\\]*")  # the scheme and the host
_ENDS: Final = re.compile(r"[\s.,;:!?]*")  # of a sentence, after a closing mark
_NUMBERS: Final = re.compile(r"\[[0-9A-Fa-f:.]*\]")  # an IPv6 address, or a written point
_PAIRS: Final = dict(zip("\"'(<[{`“‘„«‹「（＜", "\"')>]}`”’“»›」）＞", strict=True))  # noqa: RUF001
_WORD: Final = r"(?:h[tx*]{2}ps?|f[tx]p|wss?)"
_TWICE: Final = re.compile(
    rf"(?:{_WORD}(?::[/\\]*|[/\\]{{2,}}))+(?={_WORD}(?::[/\\]+|[/\\]{{2,}}))", re.IGNORECASE
)
_NO_COLON: Final = re.compile(rf"^{_WORD}[/\\]{{2,}}", re.IGNORECASE)
_NO_HOST: Final = re.compile(rf"[^/?#\\]*(?::[/\\]{{2}}|{_WORD}:[/\\])", re.IGNORECASE)
_SCHEME_WORD: Final = re.compile(_WORD, re.IGNORECASE)


def seen(text: str, *, joiners: bool = True) -> str:
    r"""Return what a person sees of a URL: without quotes around it and unseen characters.

    Unseen characters stay in the path and the query, where a browser sends them. `joiners`: leave
    those of Unicode in the host.

    >>> seen("(<http://exa\u200bmple.org/a>)."), seen("http://https://example.org")
    ('http://example.org/a', 'https://example.org')
    """
    text = _bare(_BREAKS.sub("", text))
    head = _HEAD.match(text)
    end = head.end() if head else 0
    shown = _UNSEEN.sub("", text[:end])
    shown = (shown if joiners else _JOINERS.sub("", shown)) + text[end:]
    if twice := _TWICE.match(shown):
        shown = shown[twice.end() :]
    return _NO_COLON.sub("http://", shown)


def _bare(text: str) -> str:
    while True:
        text = _AFTER.sub("", _BEFORE.sub("", text))
        close = _PAIRS.get(text[:1])
        if close is None or _NUMBERS.match(text):
            return text
        text = text[1:]
        end = text.rfind(close)
        if end >= 0 and _ENDS.fullmatch(text, end + 1):
            text = text[:end]


def has_host_before_scheme(text: str) -> bool:
    """Return whether something unread stands before the scheme, as in `†http://example.org`."""
    return bool(_NO_HOST.match(text))


def is_twice(text: str, host: str, port: str, path: str) -> bool:
    """Return whether the host of a URL, as the standard reads it, is in truth a second scheme."""
    behind = (port or path.startswith("//")) and _SCHEME_WORD.fullmatch(host)
    return bool(behind or _TWICE.match(text))
