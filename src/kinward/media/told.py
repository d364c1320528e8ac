"""What decoders told of a file before one of them was lost."""

from collections.abc import Sequence

from kinward.media.medium import MAX_FRAMES, MAX_VIEWS, Hashed, More, View
from kinward.media.registry import find_medium


class Told:
    """What decoders told of one file: its views, and whether the caller wants more."""

    def __init__(self, more: More) -> None:
        self._more, self.wanted = more, True
        self.views: list[View] = []

    def more(self, views: Sequence[View]) -> bool:
        """Keep further views, and return whether the caller wants more."""
        self.views += views
        self.wanted = self._more(views)
        return self.wanted

    def hashed(self, data: bytes, rest: Hashed | None) -> Hashed:
        """Return the result for a file of which a decoder was lost. `rest`: of its other parts."""
        medium = find_medium(data)
        own = medium.recognise(data) if medium else ""
        views = list(dict.fromkeys([*self.views, *(rest.views if rest else ())]))
        moments = {(view.strand, view.moment): view.hash for view in reversed(views)}
        frames = [moments[key] for key in sorted(moments)][:MAX_FRAMES]
        return Hashed(
            kind="pdq" if len(frames) == 1 else "video",
            signature=b"".join(frames),
            media_type=own or (rest.media_type if rest else ""),
            frames=len(frames),
            quality=100 if len(frames) == 1 else None,  # no view is of low quality
            seconds=rest.seconds if rest else 0.0,
            entire=False,
            views=tuple(views[:MAX_VIEWS]),
        )
