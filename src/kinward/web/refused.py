"""The calls that were refused in the last hour, drawn as bars."""

from typing import Final

import msgspec

from kinward.access.api import WRONG, TooManyAttempts, refused_lately

HEIGHT: Final = 24  # of the drawing
STEP: Final = 10  # from one bar to the next
WORDS: Final = {
    "address.busy": "Too many requests at once from one address",
    "body.too_large": "The body was too large",
    "body.too_slow": "The body arrived too slowly",
    "door.elsewhere": "A path came to the wrong door",
    "headers.too_large": "The headers or the address were too large",
    "key.expired": "The API key has expired",
    "key.refused": "No valid API key",
    "key.scope_missing": "The API key lacks the scope",
    "limit.account": "One account sent more than its share",
    "limit.address": "Too many calls without a valid key from one address",
    "limit.key": "One API key sent more than its share",
    "media.busy": "Everybody waited: all slots or decoders were busy",
    TooManyAttempts.code: "Too many attempts to sign in",
    WRONG: "A wrong password or code",
}


class Bar(msgspec.Struct, frozen=True):
    """One bar of a drawing."""

    x: int
    y: int
    height: int


class Row(msgspec.Struct, frozen=True):
    """One reason, in words, with its bars and the same for a screen reader."""

    reason: str
    words: str
    count: int
    bars: list[Bar]
    spoken: str


def refused_rows() -> list[Row]:
    """Return a row for each reason, the most frequent first."""
    rows = []
    for lately in refused_lately():
        most = max(*lately.bars, 1)
        heights = [-(-count * HEIGHT // most) for count in lately.bars]
        bars = [Bar(STEP * n, HEIGHT - height, height) for n, height in enumerate(heights)]
        words = WORDS.get(lately.reason, lately.reason)
        spoken = ", ".join(map(str, lately.bars))
        rows.append(Row(lately.reason, words, lately.count, bars, spoken))
    return rows
