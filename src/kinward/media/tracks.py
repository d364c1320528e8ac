"""The strands of a video container: its tracks, covers, attachments and sub-pictures.

Every track has a demuxer of its own, which ignores the others, so tracks can be read in turns
whatever their order in the file. A frame that cannot be read does not hide those after it.
"""

import io
from collections.abc import Generator, Iterator, Sequence
from typing import Any, Final, cast

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import CodecContext, Flags, Flags2
from av.container import InputContainer
from av.packet import Packet
from av.stream import AttachmentStream, Discard, Disposition, Stream
from av.subtitles.stream import SubtitleStream
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from kinward.media.boxes import Claims, read_claims
from kinward.media.errors import TypeUnsupported, Undecodable
from kinward.media.formats import video_format
from kinward.media.heads import RATE

MAX_TRACKS: Final = 16  # of a file; more are not read
MAX_COVERS: Final = 16
RETRIES: Final = 16  # errors of the container after which the rest is not read
# The frames that an edit list hides are in the file, and some viewers show them. A track of
# thumbnails is a track like any other.
OPTIONS: Final = {"mp4": {"ignore_editlist": "1", "ignore_chapters": "1"}}
# Formats whose tracks may begin anywhere in the file.
HEADLESS: Final = frozenset(("mpegts", "mpeg", "flv", "ogg", "mpegvideo"))
LONG: Final = str(2**31 - 1)
# Decoders that also read the alpha of a film, which Matroska keeps beside its packets.
WITH_ALPHA: Final = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
PICTURED: Final = frozenset(("dvdsub", "dvbsub", "pgssub", "xsub"))
FAULTS: Final = (av.FFmpegError, ValueError, OverflowError, ArithmeticError)


class Cover:
    """A picture beside the tracks: the bytes of its file. FFmpeg may be able to decode it."""

    def __init__(self, data: bytes, packet: "Packet[Any] | None" = None) -> None:
        self.data, self._packet = data, packet

    @property
    def is_picture(self) -> bool:
        """Return whether the container says that it is one."""
        return self._packet is not None

    def frames(self, max_pixels: int) -> list[VideoFrame]:
        """Decode it with FFmpeg. Only while the next cover has not been asked for."""
        if self._packet is None or self._packet.stream.codec_context is None:
            return []
        try:
            decoder = _decoder(self._packet, max_pixels)
            return [*decoder.decode(self._packet), *decoder.decode()]
        except FAULTS:
            return []


class Container:
    """A file as FFmpeg takes it apart. `entire`: whether all that was asked for could be read."""

    def __init__(self, data: bytes, max_pixels: int) -> None:
        """Read the header. Raises `TypeUnsupported` or `Undecodable`."""
        named = video_format(data)
        if named is None:
            raise TypeUnsupported
        self.format, self.media_type = named
        self.max_pixels, self.too_large = max_pixels, 0
        self._data, self.entire = data, True
        self.tracks: list[int] = []
        self.subtitles: list[int] = []
        self._covers: list[int] = []
        self._attachments: list[bytes] = []
        self._shapes: dict[int, float] = {}
        self._blind = False
        self.work = 0.0  # millions of pixels in all frames of all tracks, as the header claims
        self.claimed = True  # whether it claims that for each track
        self._opened: InputContainer | None = None  # what no reader has taken yet
        try:
            self._opened = container = self._open()
            for stream in container.streams:
                self._sort(stream)
                if isinstance(stream, VideoStream) and stream.index in self.tracks:
                    self._weigh(container, stream)
            self._sounds = [stream.index for stream in container.streams.audio]
        except FAULTS as error:
            raise Undecodable(f"{type(error).__name__} in its header.") from error
        self.claims: Claims = read_claims(data, self.format)
        if self.claims.unread:
            self.entire = False
        self._bound()

    @property
    def has_pictures(self) -> bool:
        """Return whether there is anything to see."""
        return bool(self.tracks or self.subtitles or self._covers or self._blind)

    @property
    def is_blind(self) -> bool:
        """Return whether there is a track that no decoder of ours reads."""
        return self._blind

    @property
    def has_sound(self) -> bool:
        """Return whether there is a track of sound."""
        return bool(self._sounds)

    def shape_of(self, track: int) -> float:
        """Return the width of a stored pixel over its height."""
        return self._shapes.get(track, 1.0)

    def frames(
        self, track: int, *, sound: bool = False, keys: bool = False
    ) -> Generator[VideoFrame | AudioFrame, None, None]:
        """Yield the frames of a track that can be decoded; `sound`: also of the first sound.

        `keys`: only those that need no others, which are read in a fraction of the time.
        """
        wanted = [track, *self._sounds[:1]] if sound else [track]
        try:
            with self._open() as container:
                streams = [container.streams[index] for index in wanted]
                if not self._may_decode(cast("VideoStream", streams[0])):
                    return
                decoder: VideoCodecContext | None = None
                for packet in self._packets(container, streams):
                    if decoder is None and packet.stream.index == track:
                        decoder = _decoder(packet, self.max_pixels)
                        if keys:
                            decoder.skip_frame = "NONKEY"
                    own = decoder if packet.stream.index == track else packet.stream.codec_context
                    yield from self._decoded(packet, own)
        except FAULTS:
            self.entire = False

    def covers(self) -> "Iterator[Cover]":
        """Yield what is attached to the file. Not all of it needs to be a picture."""
        files = set(self._attachments) | set(self.claims.covers)
        for data in dict.fromkeys((*self._attachments, *self.claims.covers)):
            yield Cover(data)
        if not self._covers:
            return
        try:
            with self._open() as container:
                waiting = set(self._covers)
                streams = [container.streams[index] for index in self._covers]
                for packet in self._packets(container, streams):
                    if packet.size and packet.stream.index in waiting:
                        waiting.discard(packet.stream.index)
                        if bytes(packet) not in files:
                            yield Cover(bytes(packet), packet)
                    if not waiting:
                        return
        except FAULTS:
            pass
        self.entire = False

    def subtitle_packets(self) -> Iterator["tuple[int, bytes, Packet[SubtitleStream]]"]:
        """Yield the packets of sub-pictures, with the number and extradata of their streams."""
        if not self.subtitles:
            return
        try:
            with self._open() as container:
                streams = [container.streams[index] for index in self.subtitles]
                for packet in self._packets(container, streams):
                    if packet.size:
                        extradata = bytes(packet.stream.codec_context.extradata or b"")
                        yield packet.stream.index, extradata, packet
        except FAULTS:
            self.entire = False

    def _open(self) -> InputContainer:
        """Open the file. The first reader takes what was opened for the header."""
        if self._opened is not None:
            opened, self._opened = self._opened, None
            return opened
        options = dict(OPTIONS.get(self.format, {}))
        if self.format in HEADLESS:
            options |= {"probesize": str(max(5_000_000, len(self._data))), "analyzeduration": LONG}
        return av.open(
            io.BytesIO(self._data),
            "r",
            format=self.format,
            container_options=options,
            metadata_errors="replace",
        )

    def _weigh(self, container: InputContainer, stream: VideoStream) -> None:
        """Add what the header claims of a track. Nobody trusts it."""
        rate, frames = float(stream.average_rate or RATE), float(stream.frames)
        if not frames and stream.duration and stream.time_base:
            frames = float(stream.duration * stream.time_base) * rate
        elif not frames and container.duration:
            frames = container.duration / av.time_base * rate
        self.claimed = self.claimed and frames > 0
        pixels = stream.codec_context.width * stream.codec_context.height
        self.work += max(0.0, frames) * pixels / 1e6

    def _sort(self, stream: Stream) -> None:
        if isinstance(stream, AttachmentStream):
            self._attachments.append(bytes(stream.data))
        elif isinstance(stream, VideoStream):
            if stream.disposition & Disposition.attached_pic:
                self._covers.append(stream.index)
            elif stream.codec_context is None:
                self.entire, self._blind = False, True  # no decoder of ours reads it
            else:
                self.tracks.append(stream.index)
                shape = stream.sample_aspect_ratio
                self._shapes[stream.index] = float(shape) if shape else 1.0
        elif isinstance(stream, SubtitleStream):
            # PyAV's types do not say that there may be no decoder.
            codec = cast("CodecContext | None", stream.codec_context)
            if codec is not None and codec.name in PICTURED:
                self.subtitles.append(stream.index)

    def _bound(self) -> None:
        for name, most in (("tracks", MAX_TRACKS), ("_covers", MAX_COVERS), ("subtitles", 4)):
            numbers = getattr(self, name)
            if len(numbers) > most:
                self.entire = False
                # The last ones are as likely to be shown as those in the middle.
                setattr(self, name, numbers[: most // 2] + numbers[-(most // 2) :])
        if len(self._attachments) > MAX_COVERS:
            self.entire, self._attachments = False, self._attachments[:MAX_COVERS]

    def _may_decode(self, stream: VideoStream) -> bool:
        pixels: int = stream.codec_context.width * stream.codec_context.height
        if pixels > self.max_pixels:
            self.too_large, self.entire = pixels, False
        return pixels <= self.max_pixels

    def _packets(self, container: InputContainer, streams: list[Stream]) -> "Iterator[Packet[Any]]":
        """Yield packets, also those after a fault of the container."""
        for stream in container.streams:
            if stream not in streams:
                stream.discard = Discard.all
        for _ in range(RETRIES):
            try:
                yield from container.demux(*streams)
            except av.FFmpegError:
                self.entire = False
            else:
                return

    def _decoded(
        self, packet: "Packet[Any]", decoder: VideoCodecContext | AudioCodecContext | None
    ) -> Iterator[VideoFrame | AudioFrame]:
        try:
            frames: Sequence[VideoFrame | AudioFrame] = ()
            if decoder is not None:
                frames = decoder.decode(packet if packet.size else None)
        except FAULTS:
            # Broken sound is nobody's picture.
            self.entire = self.entire and isinstance(packet.stream, AudioStream)
            return
        for frame in frames:
            if isinstance(frame, VideoFrame):
                pixels = frame.width * frame.height
                if pixels > self.max_pixels:
                    self.too_large, self.entire = pixels, False
                    continue
                if frame.time_base is None:
                    frame.time_base = packet.time_base
            yield frame


def _decoder(packet: "Packet[Any]", max_pixels: int) -> VideoCodecContext:
    """Return the decoder for a track that begins with this packet."""
    stream = packet.stream
    decoder: VideoCodecContext = stream.codec_context
    beside = packet.has_sidedata("matroska_block_additional") or "alpha_mode" in stream.metadata
    if beside and decoder.name in WITH_ALPHA:
        made = CodecContext.create(WITH_ALPHA[decoder.name], "r")
        decoder = cast("VideoCodecContext", made)
        decoder.extradata = stream.codec_context.extradata
    decoder.thread_type = "NONE"
    decoder.options = {"max_pixels": str(max_pixels)}
    # Some viewers show damaged frames, and those before the first key frame.
    decoder.flags |= Flags.output_corrupt
    decoder.flags2 |= Flags2.show_all
    decoder.flags |= Flags.unaligned  # else FFmpeg moves a crop to where its rows are aligned
    return decoder
