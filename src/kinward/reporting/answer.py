"""What an authority answered, as a value that needs no database."""

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """What an authority said: the HTTP status, its own code if it gave one, and its words."""

    http_status: int
    code: int | None
    body: str
    request_id: str = ""
