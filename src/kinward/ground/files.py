"""Files that are whole or not there."""

import os
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file in place of what is there, all at once and for good before this returns.

    Its folder is there already. Raises `OSError`.
    """
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    with new.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
