"""`multipart/form-data`, parsed in memory as it arrives, within bounds and never through a file."""

from typing import Final

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from kinward.ground.errors import KinwardError
from kinward.ground.text import storable

MAX_PARTS: Final = 32
MAX_HEADER: Final = 8 * 1024
MAX_NAME: Final = 255


class Malformed(KinwardError):
    """The body is not well-formed JSON or multipart/form-data."""

    code = "body.malformed"
    status = 400


class Part(msgspec.Struct):
    """One field of a form: its name, its bytes, and its file name if it was sent as a file."""

    name: str
    data: bytearray
    filename: str | None = None

    @property
    def text(self) -> str:
        """The field as text. Raises `Malformed` if it is not UTF-8."""
        try:
            return self.data.decode()
        except UnicodeDecodeError as error:
            raise Malformed(f"The field {self.name!r} is not UTF-8.") from error


class Form:
    """A form that is fed the body's chunks and then finished. The caller bounds the body's size."""

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not 0 < len(boundary) <= 200:
            raise Malformed("Send Content-Type: multipart/form-data with a boundary.")
        self.parts: dict[str, Part] = {}
        self._part: Part | None = None
        self._field = bytearray()
        self._value = bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_field,
                "on_header_value": self._on_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._start_part,
                "on_part_data": self._on_data,
                "on_end": self._on_end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        """Parse the next chunk of the body. Raises `Malformed`."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise Malformed(str(error)) from error

    def finish(self) -> dict[str, Part]:
        """Return all fields by name. Raises `Malformed` if the body breaks off."""
        if not self._ended:
            raise Malformed("The body ends before its last boundary.")
        return self.parts

    def _begin(self) -> None:
        if len(self.parts) >= MAX_PARTS:
            raise Malformed(f"A form has at most {MAX_PARTS} fields.")
        self._headers = {}

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]
        self._bound(self._field)

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._bound(self._value)

    def _bound(self, collected: bytearray) -> None:
        if len(collected) > MAX_HEADER or len(self._headers) > MAX_PARTS:
            raise Malformed("A part's headers are too long.")

    def _end_header(self) -> None:
        self._headers[bytes(self._field).lower()] = bytes(self._value)
        self._field, self._value = bytearray(), bytearray()

    def _start_part(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        filename = options.get(b"filename")
        if not name or name in self.parts:
            raise Malformed("Each field needs a name, once.")
        self._part = Part(name, bytearray())
        if filename is not None:
            self._part.filename = storable(filename.decode("utf-8", "replace"))[-MAX_NAME:]
        self.parts[name] = self._part

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._part is not None:
            self._part.data += data[start:end]

    def _on_end(self) -> None:
        self._ended = True
