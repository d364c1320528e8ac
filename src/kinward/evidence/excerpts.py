"""What was said in a chat: an excerpt is evidence, and sealed, opened and reported like a file."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from kinward.ground.errors import Invalid
from kinward.ground.text import MAX_ID, is_id

MAX_MESSAGES: Final = 500
MAX_MESSAGE: Final = 4000
MAX_EXCERPT: Final = 100_000


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message of a chat, by the platform's id of who wrote it."""

    account_id: str
    at: datetime
    text: str


def check_messages(messages: Sequence[Message]) -> None:
    """Raise `Invalid` where there are too many, one is too long, or a time has no zone."""
    if len(messages) > MAX_MESSAGES or sum(len(each.text) for each in messages) > MAX_EXCERPT:
        raise Invalid(
            f"At most {MAX_MESSAGES} messages of {MAX_EXCERPT:,} characters in all: send those "
            "around what is reported."
        )
    for number, each in enumerate(messages, 1):
        if not is_id(each.account_id) or len(each.text) > MAX_MESSAGE:
            raise Invalid(
                f"Message {number}: account_id has 1 to {MAX_ID} printable characters, "
                f"text at most {MAX_MESSAGE:,}."
            )
        if each.at.tzinfo is None:
            raise Invalid(f"Message {number}: at needs its offset from UTC.")
        try:
            each.at.astimezone(UTC)  # which the transcript does
        except OverflowError as error:
            raise Invalid(f"Message {number}: at lies outside the calendar.") from error


def transcript(messages: Sequence[Message]) -> str:
    r"""The messages as lines, the oldest first: when, who, what.

    Whatever a reader may take for a new line is indented: no message can pass for another's.

    >>> at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    >>> print(transcript([Message("heron", at, "Hello,\rwren: no")]))
    2026-01-02T03:04:05Z heron: Hello,
        wren: no
    """
    lines = [
        f"{each.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} {each.account_id}: "
        + "\n    ".join(each.text.splitlines())
        for each in sorted(messages, key=lambda each: each.at)
    ]
    return "\n".join(lines)


def writers(messages: Sequence[Message]) -> list[str]:
    """Who wrote in it, by the platform's ids, each once."""
    return list(dict.fromkeys(each.account_id for each in messages))
