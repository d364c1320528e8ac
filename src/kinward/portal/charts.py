"""The bar chart of a week, as numbers for a template."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

WIDTH: Final = 44  # of a day, in the units of the chart
HEIGHT: Final = 100


def week_chart(week: Sequence[tuple[date, int]], allowed: int | None) -> dict[str, Any]:
    """Return one bar a day, and the height of the line for the limit.

    `{"bars": [{"day", "minutes", "x", "middle", "y", "above", "height", "over"}], "limit"}`, where
    `limit` is None without a limit of `allowed` minutes a day.
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
