"""A film is known by everything that a viewer shows of it: tracks, covers, turns, flashes."""

import io
import struct
from collections.abc import Sequence
from typing import Any, Final

import av
import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image, ImageDraw

from kinward.demo import pictures
from kinward.media import (
    MAX_FRAMES,
    MAX_VIEWS,
    Hashed,
    TooManyPixels,
    Undecodable,
    View,
    hash_array,
    read_video,
    split_frames,
)
from kinward.media import samples as bounds
from kinward.media.composition import play_parts, still_of_parts, strands_of
from kinward.media.film import render_film
from kinward.media.formats import video_format
from kinward.media.luma import hash_planes
from kinward.media.medium import Bounds
from kinward.media.orientation import UPRIGHT, Turn, turn_pixels
from kinward.media.planes import Planes, planes_of
from kinward.media.registry import SHOWN
from kinward.media.samples import Strand, gather
from kinward.media.sheet import render_sheet
from kinward.media.shown import picture_of
from kinward.media.tracks import MAX_TRACKS
from kinward.media.variants import Variants
from tests.support import videos

NEAR: Final = 8  # bits
LIMITS: Final = Bounds(max_pixels=10**7, seconds=60)
SIZE: Final = (320, 240)
SEGMENT, TRACKS, ENTRY, VIDEO = 0x18538067, 0x1654AE6B, 0xAE, 0xE0


def drawn(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture of large shapes on a gradient, whose hash survives a codec."""
    dice = np.random.default_rng(seed)
    coarse = dice.integers(20, 236, (5, 6, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(image)
    for _ in range(24):
        x, y = int(dice.integers(0, size[0])), int(dice.integers(0, size[1]))
        reach = int(dice.integers(min(size) // 16, min(size) // 4))
        colour = tuple(int(sample) for sample in dice.integers(0, 256, 3))
        draw = pen.rectangle if dice.integers(2) else pen.ellipse
        draw((x - reach, y - reach, x + reach, y + reach), fill=colour)
    return image


COVER, KNOWN, OTHER = (drawn(seed) for seed in (1, 2, 3))


def pdq(picture: Any) -> bytes:
    return hash_array(np.asarray(picture))[0].tobytes()


def distance(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def strands_with(video: Hashed, picture: Any, within: int = NEAR) -> set[int]:
    """The strands in which this picture is a view."""
    wanted = pdq(picture)
    return {view.strand for view in video.views if distance(view.hash, wanted) <= within}


def shown_by(data: bytes) -> list[Image.Image]:
    with av.open(io.BytesIO(data), "r") as container:
        return [picture_of(frame, 4096) for frame in container.decode(video=0)]


def plays(data: bytes, picture: Image.Image) -> bool:
    """Whether the reviewer's film shows this picture."""
    film = render_film(data, max_pixels=10**7, seconds=60)
    wanted = pdq(picture)
    return any(distance(pdq(shown), wanted) <= 28 for shown in shown_by(film.data))


TWO_TRACKS: Final = {
    "mp4": videos.tracks([[COVER], [KNOWN]]),
    "second is default": videos.tracks([[COVER], [KNOWN]], default=1),
    "disabled": videos.disabled(videos.tracks([[COVER], [KNOWN]]), track=1),
    "mkv": videos.tracks([[COVER], [KNOWN]], format="matroska", codecs=("mpeg4", "libx264")),
    "ts": videos.tracks([[COVER], [KNOWN]], format="mpegts", codecs=("mpeg2video",)),
    "avi": videos.tracks([[COVER], [KNOWN]], format="avi", codecs=("mpeg4",)),
}


@pytest.mark.parametrize("name", TWO_TRACKS)
def test_every_track_is_a_strand(name: str) -> None:
    video = read_video(TWO_TRACKS[name])
    assert strands_with(video, COVER) == {0}
    assert strands_with(video, KNOWN) == {1}
    assert len(split_frames(video.signature)) == 2
    assert video.entire


@pytest.mark.parametrize("name", ["mp4", "disabled"])
def test_the_reviewer_sees_every_track(name: str) -> None:
    assert plays(TWO_TRACKS[name], COVER)
    assert plays(TWO_TRACKS[name], KNOWN)
    sheet = Image.open(io.BytesIO(render_sheet(TWO_TRACKS[name], 10**7, veiled=False)))
    halves = [sheet.crop((x, 0, x + sheet.width // 2, sheet.height)) for x in (0, sheet.width // 2)]
    assert [
        distance(pdq(half), pdq(whole)) <= 12
        for half, whole in zip(halves, (COVER, KNOWN), strict=True)
    ] == [
        True,
        True,
    ]


@pytest.mark.parametrize("name", TWO_TRACKS)
def test_the_reviewer_sees_each_track_by_itself(name: str) -> None:
    contents = strands_of(TWO_TRACKS[name], LIMITS, SHOWN)
    assert contents.entire
    assert [(s.number, s.what, s.moves) for s in contents.strands] == [
        (0, "track", True),
        (1, "track", True),
    ]
    for number, (own, other) in enumerate([(COVER, KNOWN), (KNOWN, COVER)]):
        film = play_parts(TWO_TRACKS[name], LIMITS, SHOWN, strand=number)
        assert film.entire
        frames = [pdq(frame) for frame in shown_by(film.data)]
        assert min(distance(frame, pdq(own)) for frame in frames) <= 12
        assert min(distance(frame, pdq(other)) for frame in frames) > 60
        still = still_of_parts(TWO_TRACKS[name], LIMITS, SHOWN, veiled=False, strand=number)
        assert distance(pdq(Image.open(io.BytesIO(still))), pdq(own)) <= 12
    with pytest.raises(Undecodable):
        play_parts(TWO_TRACKS[name], LIMITS, SHOWN, strand=2)


@pytest.mark.parametrize("cover_first", [False, True])
def test_cover_art_is_a_strand_and_does_not_hide_the_film(cover_first: bool) -> None:
    data = videos.tracks([[COVER]], cover=KNOWN)
    data = videos.with_tags_first(data) if cover_first else data
    with av.open(io.BytesIO(data), "r") as container:
        assert bool(container.streams[0].disposition & Disposition.attached_pic) is cover_first
    video = read_video(data)
    assert strands_with(video, COVER) == {0}
    assert strands_with(video, KNOWN) == {1}
    assert plays(data, COVER)
    assert plays(data, KNOWN)


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/webp", "application/octet-stream"])
def test_an_attachment_that_is_a_picture_is_a_strand(media_type: str) -> None:
    out = io.BytesIO()
    format = "WEBP" if media_type == "image/webp" else "JPEG"
    with av.open(out, "w", format="matroska") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        container.add_attachment("a", media_type, pictures.encode(KNOWN, format, quality=90))
        container.add_attachment("font", "font/ttf", bytes(range(256)))
        for packet in (*stream.encode(videos.frame_of(COVER)), *stream.encode()):
            container.mux(packet)
    video = read_video(out.getvalue())
    assert strands_with(video, KNOWN)
    assert video.entire, "what is no picture is not missed"
    assert plays(out.getvalue(), KNOWN)


@pytest.mark.parametrize(
    ("matrix", "turn"),
    [
        ((0, 1, -1, 0), Image.Transpose.ROTATE_270),
        ((-1, 0, 0, -1), Image.Transpose.ROTATE_180),
        ((0, -1, 1, 0), Image.Transpose.ROTATE_90),
        ((-1, 0, 0, 1), Image.Transpose.FLIP_LEFT_RIGHT),
        ((1, 0, 0, -1), Image.Transpose.FLIP_TOP_BOTTOM),
        ((0, 1, 1, 0), Image.Transpose.TRANSPOSE),
    ],
)
def test_a_film_is_turned_as_a_viewer_turns_it(
    matrix: tuple[int, int, int, int], turn: Image.Transpose
) -> None:
    data = videos.with_matrix(videos.tracks([[KNOWN]]), *matrix)
    video, shown = read_video(data), KNOWN.transpose(turn)
    assert distance(split_frames(video.signature)[0], pdq(shown)) <= NEAR
    assert strands_with(video, KNOWN), "as stored: lists contain both"
    assert (video.width, video.height) == shown.size
    assert plays(data, shown)
    sheet = Image.open(io.BytesIO(render_sheet(data, 10**7, veiled=False)))
    assert distance(pdq(sheet), pdq(shown)) <= 12


def test_the_roll_of_a_matroska_film_is_applied() -> None:
    roll = videos.element(0x7675, struct.pack(">f", 90.0))
    projection = videos.element(0x7670, videos.element(0x7671, b"\0") + roll)
    plain = videos.tracks([[KNOWN]], format="matroska")
    data = videos.with_element(plain, (SEGMENT, TRACKS, ENTRY, VIDEO), projection)
    assert len(read_video(data).views) > len(read_video(plain).views), "turned, and as stored"


def test_a_crop_that_some_players_apply_is_a_view() -> None:
    screen = Image.effect_noise((640, 480), 90).convert("RGB")
    screen.paste(KNOWN, (160, 120))
    plain = videos.tracks([[screen]], format="matroska")
    sides = {0x54BB: 120, 0x54AA: 120, 0x54CC: 160, 0x54DD: 160}
    crop = b"".join(videos.element(side, struct.pack(">H", by)) for side, by in sides.items())
    data = videos.with_element(plain, (SEGMENT, TRACKS, ENTRY, VIDEO), crop)
    assert not strands_with(read_video(plain), KNOWN)
    assert strands_with(read_video(data), KNOWN)
    clap = struct.pack(">I4sIIIIiIiI", 40, b"clap", 320, 1, 240, 1, 0, 1, 0, 1)
    path = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1")
    data = videos.with_box(videos.tracks([[screen]]), path, clap)
    assert strands_with(read_video(data), KNOWN)


def test_a_flash_between_two_samples_is_found() -> None:
    for frames in (1, 3):
        shown = [COVER] * 14 + [KNOWN] + [COVER] * 10
        data = videos.tracks([shown], frames=frames, rate=30, options={"crf": "20"})
        assert strands_with(read_video(data), KNOWN), f"{frames / 30:.2f} seconds"


def test_each_of_many_pictures_in_a_row_is_found() -> None:
    shown = [drawn(seed) for seed in range(100, 190)]
    data = videos.tracks([shown], frames=1, rate=30, codecs=("mpeg4",))
    video = read_video(data)
    assert all(strands_with(video, picture, 16) for picture in shown)


def test_two_fields_that_show_different_pictures_are_views() -> None:
    woven = np.asarray(COVER).copy()
    woven[1::2] = np.asarray(KNOWN)[1::2]
    data = videos.tracks([[woven]], options={"x264-params": "tff=1", "crf": "5"}, format="matroska")
    video = read_video(data)
    assert strands_with(video, COVER, 16)
    assert strands_with(video, KNOWN, 16)


def test_what_an_edit_list_hides_is_a_view() -> None:
    data = videos.tracks([[KNOWN, COVER]], codecs=("mpeg4",))
    at = data.find(b"elst")
    if at < 0:
        entry = struct.pack(">IIIIiHH", 0, 0, 1, 1000, 1 * 10240, 1, 0)
        elst = struct.pack(">I4s", len(entry) + 8 - 4, b"elst") + entry[4:]
        edts = struct.pack(">I4s", 8 + len(elst), b"edts") + elst
        data = videos.with_box(data, (b"moov", b"trak"), edts)
    else:
        data = data[: at + 16] + struct.pack(">i", 10240) + data[at + 20 :]
    video = read_video(data)
    assert strands_with(video, KNOWN)
    assert strands_with(video, COVER)
    assert plays(data, KNOWN), "a reviewer sees what is matched"


def test_a_film_in_a_letterbox_has_a_view_without_it() -> None:
    screen = Image.new("RGB", (480, 640))
    screen.paste(KNOWN, (80, 200))
    assert strands_with(read_video(videos.tracks([[screen]])), KNOWN, 12)


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
def test_the_alpha_of_a_film_is_shown_over_white_and_black(codec: str) -> None:
    clear = np.zeros((240, 320, 4), dtype=np.uint8)
    clear[..., :3] = 255  # white throughout: over white there is nothing to see
    clear[..., 3] = np.asarray(KNOWN.convert("L"))
    options = {"auto-alt-ref": "0", "crf": "4"}
    data = videos.tracks(
        [[clear]], format="webm", codecs=(codec,), pix_fmt="yuva420p", options=options
    )
    grey = KNOWN.convert("L").convert("RGB")
    assert strands_with(read_video(data), grey, 12)
    assert plays(data, grey)


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "format"),
    [
        ("libx265", "yuv420p10le", "mp4"),
        ("libsvtav1", "yuv420p", "mp4"),
        ("libvpx-vp9", "yuv444p", "webm"),
        ("prores_ks", "yuv422p10le", "mov"),
        ("ffv1", "bgr0", "matroska"),
        ("png", "rgb24", "mov"),
        ("mjpeg", "yuvj420p", "avi"),
        ("qtrle", "rgb24", "mov"),
    ],
)
def test_what_a_decoder_gives_is_hashed_as_it_is_shown(
    codec: str, pix_fmt: str, format: str
) -> None:
    options = {"x265-params": "log-level=none"} if codec == "libx265" else None
    data = videos.tracks(
        [[KNOWN, COVER]], codecs=(codec,), pix_fmt=pix_fmt, format=format, options=options
    )
    video = read_video(data)
    assert strands_with(video, KNOWN)
    assert strands_with(video, COVER)
    assert video.entire


@pytest.mark.parametrize(
    "turn", [UPRIGHT, Turn(rows_back=True), Turn(columns_back=True, transposed=True)]
)
@pytest.mark.parametrize("size", [(62, 50), (320, 240), (322, 1250), (1280, 722), (1921, 1083)])
def test_a_hash_of_planes_is_the_hash_of_the_picture(size: tuple[int, int], turn: Turn) -> None:
    picture = np.asarray(drawn(7, size))
    frame = videos.frame_of(picture)
    space = "ITU709" if size[1] >= 720 else "ITU601"
    yuv = frame.reformat(format="yuv444p", dst_colorspace=space)
    exact, quality = hash_array(np.ascontiguousarray(turn_pixels(picture, turn)))
    ours, our_quality = hash_planes(planes_of(yuv), turn)
    assert distance(exact.tobytes(), ours.tobytes()) <= 6
    assert abs(quality - our_quality) <= 3


@pytest.mark.parametrize("turn", [UPRIGHT, Turn(columns_back=True, transposed=True)])
@pytest.mark.parametrize("shape", [2.0, 0.5, 4 / 3, 8 / 9])
def test_pixels_that_are_not_square_are_hashed_as_they_are_shown(shape: float, turn: Turn) -> None:
    """The hash of a stretched picture is up to 12 bits from that of the picture as stored."""
    picture = Image.fromarray(np.asarray(drawn(7, (160, 120))))
    sides = round(160 * max(shape, 1)), round(120 / min(shape, 1))
    shown = np.asarray(picture.resize(sides, Image.Resampling.BILINEAR))
    frame = videos.frame_of(np.asarray(picture)).reformat(format="yuv444p", dst_colorspace="ITU601")
    planes = planes_of(frame, shape)
    exact, _ = hash_array(np.ascontiguousarray(turn_pixels(shown, turn)))
    assert distance(exact.tobytes(), hash_planes(planes, turn)[0].tobytes()) <= 4
    stored = list(Variants(planes, turn, tuple).stored())[-1][0]
    exact, _ = hash_array(np.ascontiguousarray(turn_pixels(np.asarray(picture), turn)))
    assert distance(exact.tobytes(), stored.tobytes()) <= 6


@pytest.mark.parametrize(
    ("written", "told", "size", "read"),
    [
        ("ITU601", {}, (480, 720), "ITU709"),
        ("ITU601", {}, SIZE, "ITU601"),
        ("ITU709", {"colormatrix": "bt709"}, SIZE, "ITU601"),
        (
            "ITU709",
            {"colormatrix": "bt709", "colorprim": "bt709", "transfer": "bt709"},
            SIZE,
            "ITU709",
        ),
    ],
)
def test_colours_are_those_that_chromium_takes(
    written: str, told: dict[str, str], size: tuple[int, int], read: str
) -> None:
    yuv = videos.frame_of(drawn(9, size)).reformat(format="yuv420p", dst_colorspace=written)
    shown = yuv.reformat(format="rgb24", src_colorspace=read, dst_color_range="JPEG").to_ndarray()
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as container:
        parameters = ":".join(f"{name}={value}" for name, value in told.items())
        options = {"crf": "5"} | ({"x264-params": parameters} if parameters else {})
        stream = container.add_stream("libx264", rate=5, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        yuv.colorspace = yuv.color_primaries = yuv.color_trc = 2
        for packet in (*stream.encode(yuv), *stream.encode()):
            container.mux(packet)
    video = read_video(out.getvalue())
    assert distance(split_frames(video.signature)[0], pdq(shown)) <= NEAR


def pgs(picture: Image.Image, at: int = 0) -> bytes:
    """A Blu-ray's sub-picture in 32 greys, as a stream of segments."""
    width, height = picture.size
    indices = np.asarray(picture.convert("L")) // 8
    rows = b"".join(
        b"".join(bytes((index + 1,)) for index in row.tolist()) + b"\0\0" for row in indices
    )
    control = struct.pack(">HHBHBBBBHBBHH", width, height, 16, 0, 0x80, 0, 0, 1, 0, 0, 0, 0, 0)
    window = struct.pack(">BBHHHH", 1, 0, 0, 0, width, height)
    palette = b"\0\0" + b"".join(bytes((n + 1, 16 + n * 7, 128, 128, 255)) for n in range(32))
    objects = struct.pack(">HBB", 0, 0, 0xC0) + (len(rows) + 4).to_bytes(3)
    objects += struct.pack(">HH", width, height) + rows
    parts = ((0x16, control), (0x17, window), (0x14, palette), (0x15, objects), (0x80, b""))
    return b"".join(
        b"PG" + struct.pack(">IIBH", at, 0, kind, len(body)) + body for kind, body in parts
    )


def test_a_sub_picture_is_a_strand() -> None:
    small = KNOWN.resize((160, 120))
    out = io.BytesIO()
    with (
        av.open(io.BytesIO(pgs(small)), "r", format="sup") as source,
        av.open(out, "w", format="matroska") as container,
    ):
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        titles = container.add_stream_from_template(source.streams[0])
        for packet in source.demux():
            if packet.size:
                packet.stream = titles
                container.mux(packet)
        for packet in (*stream.encode(videos.frame_of(COVER)), *stream.encode()):
            container.mux(packet)
    video = read_video(out.getvalue())
    assert strands_with(video, small, 12) == {1}
    assert strands_with(video, COVER) == {0}
    assert plays(out.getvalue(), small)


def test_a_track_that_no_decoder_reads_is_not_clear_and_does_not_hide_the_rest() -> None:
    data = videos.tracks([[COVER], [KNOWN]])
    second = data.index(b"avc1", data.index(b"avc1", data.index(b"moov")) + 1)
    video = read_video(data[:second] + b"zzzz" + data[second + 4 :])
    assert strands_with(video, COVER)
    assert not video.entire
    first = data.index(b"avc1", data.index(b"moov"))
    video = read_video(data[:first] + b"zzzz" + data[first + 4 :])
    assert strands_with(video, KNOWN)
    assert not video.entire


def test_a_track_that_changes_its_codec_is_not_clear() -> None:
    data = videos.tracks([[COVER]])
    at = data.index(b"avc1", data.index(b"stsd")) - 4
    (size,) = struct.unpack_from(">I", data, at)
    other = data[at : at + size].replace(b"avc1", b"mp4v", 1)
    path = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
    assert not read_video(videos.with_box(data, path, other)).entire


def test_a_frame_that_cannot_be_read_among_good_ones_hides_nothing() -> None:
    data = bytearray(
        videos.tracks(
            [[COVER, KNOWN, OTHER]], codecs=("png",), format="mov", frames=2, pix_fmt="rgb24"
        )
    )
    middle = [at for at in range(len(data)) if data.startswith(b"IDAT", at)][1]
    data[middle + 20 : middle + 60] = bytes(40)
    video = read_video(bytes(data))
    assert all(strands_with(video, picture) for picture in (COVER, KNOWN, OTHER))
    assert not video.entire


def test_a_track_that_is_too_large_does_not_hide_the_rest() -> None:
    data = videos.tracks([[drawn(5, (800, 600))], [KNOWN]])
    video = read_video(data, max_pixels=100_000)
    assert strands_with(video, KNOWN) == {1}
    assert not video.entire
    with pytest.raises(TooManyPixels):
        read_video(data, max_pixels=1000)


def test_no_track_starves_another() -> None:
    dice = np.random.default_rng(1)
    noise = [dice.integers(0, 256, (240, 320, 3), dtype=np.uint8) for _ in range(150)]
    data = videos.tracks([noise, [KNOWN]], frames=2, codecs=("mpeg4",))
    told: list[View] = []

    def more(views: Sequence[View]) -> bool:
        told.extend(views)
        return not any(view.strand == 1 for view in told)

    video = read_video(data, more=more)
    assert strands_with(video, KNOWN, 20) == {1}, "long before the first track is over"
    assert len(video.views) < 40


def test_of_too_many_tracks_some_are_read_and_the_file_is_not_clear() -> None:
    shown = [[drawn(seed, (96, 64))] for seed in range(MAX_TRACKS + 2)]
    video = read_video(videos.tracks(shown, format="matroska", frames=1, codecs=("mpeg4",)))
    assert not video.entire
    assert len({view.strand for view in video.views}) == MAX_TRACKS


def test_the_bounds_keep_what_is_shown_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_VIEWS", 64)
    monkeypatch.setattr(bounds, "MAX_FRAMES", 32)
    dice = np.random.default_rng(1)
    strand, long = Strand(0), np.asarray(KNOWN.convert("L"))
    told = 0
    for number in range(400):
        luma = dice.integers(0, 256, (64, 64), dtype=np.uint8)
        shown = Planes(long if number == 100 else luma, full=True)
        at = number * 0.01 + (1.5 if number > 100 else 0)
        told += len(strand.see(Variants(shown, UPRIGHT, tuple), at))
    signature, views, lost = gather([strand])
    assert (told, len(views), len(signature) // 32) == (400, 64, 32)
    assert lost, "not all that was shown can be looked up later"
    assert any(distance(view.hash, pdq(KNOWN)) <= NEAR for view in views)
    early = sum(view.moment < 200 for view in views)
    assert 10 < early < 54, "neither the first nor the last win"


def test_strands_share_the_bounds_fairly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_VIEWS", 20)
    dice = np.random.default_rng(1)
    strands = [Strand(0), Strand(1)]
    for strand, count in zip(strands, (100, 5), strict=True):
        for _ in range(count):
            shown = Planes(dice.integers(0, 256, (64, 64), dtype=np.uint8), full=True)
            strand.see(Variants(shown, UPRIGHT, tuple), None)
    _, views, _ = gather(strands)
    assert [sum(view.strand == number for view in views) for number in (0, 1)] == [15, 5]


def test_what_comes_back_is_kept_once() -> None:
    data = videos.tracks([[COVER, KNOWN] * 6], frames=2, codecs=("libx264",), rate=25)
    video = read_video(data)
    assert len(split_frames(video.signature)) == 2
    assert len(video.views) <= 6


def test_names_that_are_no_text_do_not_hide_a_film() -> None:
    title = struct.pack(">I4sI4s", 0, b"data", 1, b"\0\0\0\0") + b"\xff\xfe\xff"
    title = struct.pack(">I", len(title)) + title[4:]
    item = struct.pack(">I4s", 8 + len(title), b"\xa9nam") + title
    data = videos.tracks([[KNOWN]])
    ilst = data.find(b"ilst")
    assert ilst > 0
    data = videos.with_box(data, (b"moov", b"udta", b"meta", b"ilst"), item)
    assert strands_with(read_video(data), KNOWN)


@pytest.mark.parametrize("first", [b"wide", b"free", b"skip"])
def test_a_film_without_a_brand_is_a_film(first: bytes) -> None:
    data = videos.tracks([[KNOWN]], format="mov")
    (size,) = struct.unpack(">I", data[:4])
    bare = struct.pack(">I4s", size, first) + bytes(size - 8) + data[size:]
    assert video_format(bare) == ("mp4", "video/quicktime")
    assert strands_with(read_video(bare), KNOWN)


def test_nothing_but_the_three_errors_is_raised() -> None:
    for data in (b"\x1a\x45\xdf\xa3" * 40, b"\0\0\0\x20ftypisom" + bytes(500), b"G" * 189 * 4):
        with pytest.raises(Undecodable):
            read_video(data)


def test_the_limits_are_as_the_contract_says() -> None:
    assert (MAX_VIEWS, MAX_FRAMES) == (4096, 1024)
