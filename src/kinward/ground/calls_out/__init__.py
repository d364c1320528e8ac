"""Calls to other machines: the one client through which every HTTP call leaves Kinward.

Whoever answers is a stranger. Each call ends within its seconds, however slowly an answer drips.
Each answer has a size, also after decompression. A name is looked up once, judged, and called by
that address. No redirect is followed and no proxy of the environment is used.
"""

from kinward.ground.calls_out.caller import Answer, Caller, Limits, Reach, basic_auth, origin_of
from kinward.ground.calls_out.documents import check_document, read_json
from kinward.ground.calls_out.failures import (
    AddressRefused,
    AnswerTooLarge,
    AnswerUnreadable,
    CallFailed,
    CallTooSlow,
    NotSent,
    Redirected,
)

__all__ = [
    "AddressRefused",
    "Answer",
    "AnswerTooLarge",
    "AnswerUnreadable",
    "CallFailed",
    "CallTooSlow",
    "Caller",
    "Limits",
    "NotSent",
    "Reach",
    "Redirected",
    "basic_auth",
    "check_document",
    "origin_of",
    "read_json",
]
