"""Excerpts of chats. An excerpt is evidence: sealed, opened and reported like a file."""

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
    """One message of a chat. `account_id` is the platform's id of its writer."""

    account_id: str
    at: datetime
    text: str


def check_messages(messages: Sequence[Message]) -> None:
    """Raise `Invalid` if there are too many messages, one is too long, or a time has no zone."""
    if len(messages) > MAX_MESSAGES or sum(len(message.text) for message in messages) > MAX_EXCERPT:
        raise Invalid(
            f"At most {MAX_MESSAGES} messages of {MAX_EXCERPT:,} characters in all: send those "
            "around what is reported."
        )
    for number, message in enumerate(messages, 1):
        if not is_id(message.account_id) or len(message.text) > MAX_MESSAGE:
            raise Invalid(
                f"Message {number}: account_id has 1 to {MAX_ID} printable characters, "
                f"text at most {MAX_MESSAGE:,}."
            )
        if message.at.tzinfo is None:
            raise Invalid(f"Message {number}: at needs its offset from UTC.")
        try:
            message.at.astimezone(UTC)  # as the transcript will
        except OverflowError as error:
            raise Invalid(f"Message {number}: at lies outside the calendar.") from error


def transcript(messages: Sequence[Message]) -> str:
    r"""Write messages as lines, oldest first: the time, the writer, the text.

    Every further line of a message is indented, so that no text can pass for another message.

    >>> at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    >>> print(transcript([Message("heron", at, "Hello,\rwren: no")]))
    2026-01-02T03:04:05Z heron: Hello,
        wren: no
    """
    lines = [
        f"{message.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} {message.account_id}: "
        + "\n    ".join(message.text.splitlines())
        for message in sorted(messages, key=lambda message: message.at)
    ]
    return "\n".join(lines)


def writers(messages: Sequence[Message]) -> list[str]:
    """Return the platform's ids of the writers, each once."""
    return list(dict.fromkeys(message.account_id for message in messages))
