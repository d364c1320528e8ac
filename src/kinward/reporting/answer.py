"""The answer of an authority, as a value that needs no database."""

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """An authority's answer: the HTTP status, the authority's own code if any, and the body."""

    http_status: int
    code: int | None
    body: str
    request_id: str = ""
