"""A snapshot of an index: one file, written whole or not at all, mapped into memory when read.

`KWINDEX1`, the length (8 bytes) and the CRC-32 (4 bytes) of a JSON header, the header, and then the
arrays of each segment, each at the start of a page and with its CRC-32 in the header.
"""

import json
import os
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from kinward.ground.errors import KinwardError
from kinward.matching.segments import Segment, build

MAGIC: Final = b"KWINDEX1"
PAGE: Final = 4096


class SnapshotRefused(KinwardError):
    """This snapshot of an index is cut off or damaged. Build it again."""

    code = "index.snapshot_refused"
    status = 422


def write_snapshot(path: Path, radius: int, segments: tuple[Segment, ...]) -> None:
    """Write a snapshot beside its place, and put it there when it is whole and on disk."""
    parts: list[npt.NDArray[Any]] = []
    listed = []
    for segment in segments:
        rows, ids = segment.living()
        if not len(ids):
            continue
        whole = segment if not segment.removed else build(rows, ids, radius)
        arrays = (whole.rows, whole.ids, whole.starts, whole.order)
        listed.append(
            {
                "shape": whole.shape.tolist(),
                "parts": [[each.dtype.str, each.shape, zlib.crc32(each.data)] for each in arrays],
            }
        )
        parts += arrays
    header = json.dumps({"radius": radius, "segments": listed}).encode()
    made = path.with_name(f".{path.name}.{os.getpid()}")
    with made.open("wb") as file:
        file.write(MAGIC + len(header).to_bytes(8) + zlib.crc32(header).to_bytes(4) + header)
        for part in parts:
            file.seek(-file.tell() % PAGE, os.SEEK_CUR)
            file.write(np.ascontiguousarray(part).data)
        file.truncate(file.tell())
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)


def read_snapshot(path: Path) -> tuple[int, tuple[Segment, ...]]:
    """The radius and the segments of a snapshot. Raises `SnapshotRefused`."""
    try:
        # Copied only where it is written, and nobody writes; kernels need no version of their own.
        mapped = np.asarray(np.memmap(path, dtype=np.uint8, mode="c"))
        start = len(MAGIC) + 12
        head = mapped[:start].tobytes()
        length = int.from_bytes(head[8:16])
        header = mapped[start : start + length].tobytes()
        if head[:8] != MAGIC or zlib.crc32(header) != int.from_bytes(head[16:20]):
            raise SnapshotRefused("Its header is not ours.")
        found, at = json.loads(header), start + length
        segments = []
        for each in found["segments"]:
            arrays = []
            for kind, shape, checksum in each["parts"]:
                at += -at % PAGE
                size = int(np.prod(shape)) * np.dtype(kind).itemsize
                part = mapped[at : at + size]
                if len(part) != size or zlib.crc32(part.data) != checksum:
                    raise SnapshotRefused("A part does not match its checksum.")
                arrays.append(part.view(kind).reshape(shape))
                at += size
            rows, ids, starts, order = arrays
            shape_of = np.array(each["shape"], dtype=np.int64).reshape(-1, 3)
            segments.append(Segment(rows, ids, shape_of, starts, order))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise SnapshotRefused(f"{error}.") from error
    return int(found["radius"]), tuple(segments)
