"""The week of an account as a small drawing, with its numbers in it and beside it."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

WIDTH: Final = 44  # of a day, in the units of the drawing
HEIGHT: Final = 100


def week_chart(week: Sequence[tuple[date, int]], allowed: int | None) -> dict[str, Any]:
    """Bars for seven days: `{"bars": [{"day", "minutes", "x", "y", "height", "over"}], "limit"}`.

    `limit` is where the line of the day's limit is drawn, or None.
    """
    most = max([minutes for _, minutes in week] + [allowed or 0, 30])
    bars = []
    for number, (day, minutes) in enumerate(week):
        height = round(HEIGHT * minutes / most)
        bars.append(
            {
                "day": day,
                "minutes": minutes,
                "x": number * WIDTH + 8,
                "middle": number * WIDTH + 22,
                "y": 14 + HEIGHT - height,
                "above": 10 + HEIGHT - height,
                "height": height,
                "over": allowed is not None and minutes >= allowed > 0,
            }
        )
    limit = None if allowed is None else 14 + HEIGHT - round(HEIGHT * allowed / most)
    return {"bars": bars, "limit": limit}
