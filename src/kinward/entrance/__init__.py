"""The entrance: what every request is held to before gate, console or portal sees it.

Here are the bounds on heads and bodies, the seats for each address, and the three doors. This face
is pure. `api` has what needs Django.
"""

from kinward.entrance.body import Bounds, Receive, Scope, Send, read_body, refuse_larger
from kinward.entrance.budget import Budget
from kinward.entrance.caller import caller_of
from kinward.entrance.doors import DOORS, Doors
from kinward.entrance.errors import (
    Disconnected,
    Elsewhere,
    HeadersTooLarge,
    TooLarge,
    TooManyAtOnce,
    TooSlow,
    Unavailable,
    retry_after,
)
from kinward.entrance.layer import Entrance
from kinward.entrance.seats import Seats

__all__ = [
    "DOORS",
    "Bounds",
    "Budget",
    "Disconnected",
    "Doors",
    "Elsewhere",
    "Entrance",
    "HeadersTooLarge",
    "Receive",
    "Scope",
    "Seats",
    "Send",
    "TooLarge",
    "TooManyAtOnce",
    "TooSlow",
    "Unavailable",
    "caller_of",
    "read_body",
    "refuse_larger",
    "retry_after",
]
