"""Stills of a video for a reviewer: of each track a sheet, and the pictures beside the tracks."""

import io
import time
from collections.abc import Iterator
from typing import Final

from av.video.frame import VideoFrame
from PIL import Image

from kinward.ground.errors import KinwardError
from kinward.media.errors import Undecodable
from kinward.media.footage import refusal, time_of
from kinward.media.medium import Strand
from kinward.media.picture import PREVIEW_SIDE, render, render_preview
from kinward.media.shown import flat, picture_of
from kinward.media.subpictures import subpictures
from kinward.media.tracks import Container, Cover

SHEET: Final = 3  # frames a side of the sheet of a track
SHEET_SECONDS: Final = 5.0
EVERY: Final = 1.0  # seconds between two frames of a track on the sheet


def render_sheet(data: bytes, max_pixels: int, *, veiled: bool) -> bytes:
    """Return a JPEG sheet of frames of a video, of as many strands as there is room for.

    Those of a track are at least a second apart.
    """
    container, until = Container(data, max_pixels), time.monotonic() + SHEET_SECONDS
    side, room = PREVIEW_SIDE // SHEET, SHEET * SHEET
    strands: list[list[Image.Image]] = []
    for number, track in enumerate(container.tracks):
        left = until - time.monotonic()
        share = time.monotonic() + left / (len(container.tracks) - number)
        strands.append(_stills(container, track, side, share))
    strands += [[still] for still in still_pictures(container, side)]
    places = [
        (turn, number) for number, strand in enumerate(strands) for turn in range(len(strand))
    ]
    chosen = sorted(sorted(places)[:room], key=lambda place: (place[1], place[0]))
    if not chosen:
        raise refusal(container)
    return render(_arranged([strands[number][turn] for turn, number in chosen]), veiled=veiled)


def strands_of_video(data: bytes, max_pixels: int) -> list[Strand]:
    """Return the tracks of a video, then its covers, then its streams of subtitles."""
    container = Container(data, max_pixels)
    tracks = len(container.tracks) or int(container.is_blind)
    strands = {number: Strand(number, "track", moves=True) for number in range(tracks)}
    for number, what, moment, _ in _beside_tracks(container, PREVIEW_SIDE):
        strands[number] = Strand(number, what, moment + 1)
    if not strands:
        raise refusal(container)
    return list(strands.values())


def render_moment(data: bytes, max_pixels: int, *, veiled: bool, strand: int, moment: int) -> bytes:
    """Return a JPEG of a sheet of one track, or of one picture beside the tracks."""
    container = Container(data, max_pixels)
    if strand < len(container.tracks):
        until = time.monotonic() + SHEET_SECONDS
        stills = _stills(container, container.tracks[strand], PREVIEW_SIDE // SHEET, until)
        if stills:
            return render(_arranged(stills), veiled=veiled)
        raise refusal(container)
    for number, _, place, image in _beside_tracks(container, PREVIEW_SIDE):
        if (number, place) == (strand, moment):
            return render(image, veiled=veiled)
    raise Undecodable(f"It has no moment {moment} of strand {strand}.")


def still_pictures(container: Container, side: int) -> Iterator[Image.Image]:
    """Yield covers, attached pictures and subtitles as they are shown, over white."""
    for _, _, _, image in _beside_tracks(container, side):
        yield image


def _beside_tracks(container: Container, side: int) -> Iterator[tuple[int, str, int, Image.Image]]:
    """Yield what is shown beside the tracks: its strand, what it is, its moment, the picture."""
    strand = len(container.tracks) or int(container.is_blind)
    for cover in container.covers():
        image = _cover_shown(cover, container.max_pixels, side)
        if image is not None:
            yield strand, "cover", 0, image
            strand += 1
    moments: dict[int, list[int]] = {}  # of each stream: its strand, and the next moment
    for stream, image, _ in subpictures(container):
        place = moments.setdefault(stream, [strand + len(moments), 0])
        shown = flat(image)
        shown.thumbnail((side, side))
        yield place[0], "subtitle", place[1], shown
        place[1] += 1


def _cover_shown(cover: Cover, max_pixels: int, side: int) -> Image.Image | None:
    """Return an attached picture as it is shown. What is attached may be something else."""
    try:
        return cover_image(cover.data, max_pixels, side)
    except KinwardError:
        frames = cover.frames(max_pixels)
        return picture_of(frames[0], side) if frames else None


def cover_image(data: bytes, max_pixels: int, side: int) -> Image.Image:
    """Return the first picture of an image file, as it is shown."""
    image = Image.open(io.BytesIO(render_preview(data, max_pixels, veiled=False)))
    image.thumbnail((side, side))
    return image.convert("RGB")


def _stills(container: Container, track: int, side: int, until: float) -> list[Image.Image]:
    stills: list[Image.Image] = []
    due = 0.0
    for frame in container.frames(track):
        if len(stills) == SHEET * SHEET or time.monotonic() > until:
            break
        if not isinstance(frame, VideoFrame):
            continue
        at = time_of(frame)
        if at is None or at >= due or not stills:
            due = (at or 0) + EVERY
            stills.append(picture_of(frame, side, container.shape_of(track)))
    return stills


def _arranged(stills: list[Image.Image]) -> Image.Image:
    """Return stills side by side, each in the middle of its place."""
    width, height = (max(still.size[axis] for still in stills) for axis in (0, 1))
    across = min(len(stills), SHEET)
    sheet = Image.new("RGB", (width * across, height * -(-len(stills) // SHEET)))
    for number, still in enumerate(stills):
        left, top = number % SHEET * width, number // SHEET * height
        sheet.paste(still, (left + (width - still.width) // 2, top + (height - still.height) // 2))
    return sheet
