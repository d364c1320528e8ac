"""The rows of the table of routes by which strangers verify the ledger. They need no key."""

from collections.abc import Callable
from typing import Final

from kinward.gate import transparency
from kinward.gate.calls import Content
from kinward.gate.routing import Route
from kinward.ground.errors import NotFound
from kinward.ledger.api import NotSignedYet

# The number of a tile in groups of three digits, and of a partial one its width.
TILES: Final[dict[str, Callable[..., Content]]] = {
    "{first}": transparency.see_tile,
    "{first}/{second}": transparency.see_tile_of_two,
    "{first}/{second}/{third}": transparency.see_tile_of_three,
    "{first}/{second}/{third}/{fourth}": transparency.see_tile_of_four,
}

TRANSPARENCY: Final = (
    Route(
        "GET /transparency/checkpoint",
        "",
        transparency.see_checkpoint,
        answer=transparency.CHECKPOINT,
        errors=(NotFound,),
    ),
    Route(
        "GET /transparency/cosigned",
        "",
        transparency.see_cosigned,
        answer=transparency.CHECKPOINT,
        errors=(NotFound,),
    ),
    Route(
        "GET /transparency/rotations",
        "",
        transparency.see_rotations,
        answer=transparency.CHECKPOINT,
        shared=1.0,
    ),
    Route(
        "GET /transparency/receipt/{receipt_id:uuid}",
        "",
        transparency.see_receipt,
        answer=transparency.CHECKPOINT,
        errors=(NotFound, NotSignedYet),
    ),
    *(
        Route(
            f"GET /transparency/tile/{{level}}/{steps}",
            "",
            handler,
            answer=transparency.TILE,
            errors=(NotFound,),
        )
        for steps, handler in TILES.items()
    ),
)
