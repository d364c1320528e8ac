"""The rows of the table of routes that are HMA's look-ups."""

from collections.abc import Callable
from typing import Any, Final

from kinward.gate import hma
from kinward.gate.fetching import FetchFailed, FetchRefused
from kinward.gate.http import TEXT
from kinward.gate.routing import Form, Route
from kinward.matching.api import BankNotAsked, KindUnmatched, TextUnread
from kinward.media import TooManyPixels, TooPlain, TypeUnsupported, Undecodable

LOOK_UP: Final = "hashes:look-up"  # the scope

VIEWS: Final = (
    hma.VIEWS,
    "How many pictures the file shows that do not match each other, up to 100. "
    "The answer has the first.",
)

# Errors that occur together
ASKED: Final = (hma.LookupRefused, KindUnmatched)
FILE_ASKED: Final = (*ASKED, Undecodable, TooManyPixels, TypeUnsupported)
FETCHED: Final = (*FILE_ASKED, FetchRefused, FetchFailed)


def hma_routes(prefix: str) -> tuple[Route, ...]:
    """Return the routes of HMA's look-ups. The prefix has the key if a tool can send no header."""
    form, hashes, looked = Form(hma.FILES), hma.Hashes, hma.Looked

    def route(line: str, handler: Callable[..., Any], **more: Any) -> Route:
        method, path = line.split(" ")
        line = f"{method} {prefix}{path}"
        return Route(line, LOOK_UP, handler, slot=True, errors_as=TEXT, **more)

    return (
        route(
            "GET /h/hash",
            hma.hash_address,
            query=hma.FileQuery,
            answer=hashes,
            headers=(VIEWS,),
            errors=FETCHED,
        ),
        route(
            "POST /h/hash",
            hma.hash_file,
            body=form,
            query=hma.TypesQuery,
            answer=hashes,
            headers=(VIEWS,),
            errors=FILE_ASKED,
        ),
        route(
            "GET /m/lookup",
            hma.look_up_signal,
            query=hma.LookupQuery,
            answer=looked,
            errors=(*FETCHED, TooPlain, TextUnread, BankNotAsked),
        ),
        route(
            "POST /m/lookup",
            hma.look_up_file,
            body=form,
            query=hma.FileLookupQuery,
            answer=looked,
            errors=(*FILE_ASKED, TooPlain, BankNotAsked),
        ),
        route(
            "GET /m/raw_lookup",
            hma.look_up_raw,
            query=hma.RawLookupQuery,
            answer=hma.Matches,
            errors=(*ASKED, TextUnread, BankNotAsked),
        ),
    )
