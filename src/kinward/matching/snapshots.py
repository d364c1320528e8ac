"""Snapshots of an index: one file each, written atomically and mapped into memory when read.

The format: `KWINDEX1`, the length (8 bytes) and the CRC-32 (4 bytes) of a JSON header, the header,
and the arrays of each segment. An array begins at a page, and its CRC-32 is in the header.
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
    """This snapshot of an index is truncated or damaged. Build it again."""

    code = "index.snapshot_refused"
    status = 422


def write_snapshot(path: Path, radius: int, segments: tuple[Segment, ...]) -> None:
    """Write a snapshot to a temporary file, sync it, and move it to `path`."""
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
                "parts": [[part.dtype.str, part.shape, zlib.crc32(part.data)] for part in arrays],
            }
        )
        parts += arrays
    header = json.dumps({"radius": radius, "segments": listed}).encode()
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with unfinished.open("wb") as file:
        file.write(MAGIC + len(header).to_bytes(8) + zlib.crc32(header).to_bytes(4) + header)
        for part in parts:
            file.seek(-file.tell() % PAGE, os.SEEK_CUR)
            file.write(np.ascontiguousarray(part).data)
        file.truncate(file.tell())
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def read_snapshot(path: Path) -> tuple[int, tuple[Segment, ...]]:
    """Return the radius and the segments of a snapshot. Raises `SnapshotRefused`."""
    try:
        # Copy-on-write, though nobody writes: a read-only array would compile kernels of its own.
        mapped = np.asarray(np.memmap(path, dtype=np.uint8, mode="c"))
        start = len(MAGIC) + 12
        head = mapped[:start].tobytes()
        length = int.from_bytes(head[8:16])
        header = mapped[start : start + length].tobytes()
        if head[:8] != MAGIC or zlib.crc32(header) != int.from_bytes(head[16:20]):
            raise SnapshotRefused("Its header is not ours.")
        content, at = json.loads(header), start + length
        segments = []
        for entry in content["segments"]:
            arrays = []
            for kind, shape, checksum in entry["parts"]:
                at += -at % PAGE
                size = int(np.prod(shape)) * np.dtype(kind).itemsize
                part = mapped[at : at + size]
                if len(part) != size or zlib.crc32(part.data) != checksum:
                    raise SnapshotRefused("A part does not match its checksum.")
                arrays.append(part.view(kind).reshape(shape))
                at += size
            rows, ids, starts, order = arrays
            shape_of = np.array(entry["shape"], dtype=np.int64).reshape(-1, 3)
            segments.append(Segment(rows, ids, shape_of, starts, order))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise SnapshotRefused(f"{error}.") from error
    return int(content["radius"]), tuple(segments)
