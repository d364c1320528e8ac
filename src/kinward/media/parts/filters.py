"""The filters with which the streams of a PDF are packed."""

import base64
import binascii
import re

from kinward.media.parts.archives import inflate


def unfiltered(content: bytes, name: bytes, room: int) -> bytes:
    """Undo one filter of a stream; nothing for one that is not known."""
    try:
        if name == b"FlateDecode":
            return inflate(content, room, 15)
        if name == b"ASCIIHexDecode":
            return of_hex(content)
        if name == b"ASCII85Decode":
            return base64.a85decode(content.partition(b"~>")[0].strip().removeprefix(b"<~"))
        if name == b"RunLengthDecode":
            return _of_runs(content, room)
    except ValueError:
        pass
    return b""


def of_hex(text: bytes) -> bytes:
    """Return the bytes that are written as digits, up to the end of the string."""
    digits = re.sub(rb"[^0-9A-Fa-f]", b"", text.partition(b">")[0])
    return binascii.unhexlify(digits[: len(digits) // 2 * 2])


def _of_runs(content: bytes, room: int) -> bytes:
    out, at = bytearray(), 0
    while at < len(content) and content[at] != 128 and len(out) < room:
        length = content[at]
        if length < 128:
            out += content[at + 1 : at + 2 + length]
            at += 2 + length
        else:
            out += content[at + 1 : at + 2] * (257 - length)
            at += 2
    return bytes(out)
