"""What ships, under whatever version it has today, and copies of it under another version."""

import re
import tomllib

from kinward.guidelines.formats import decode
from kinward.guidelines.reading import shipped
from kinward.policy.sources import read_files


def shipped_guidelines() -> str:
    """The name and the version of the guidelines that ship."""
    return decode(shipped()).label


def shipped_pack(name: str) -> str:
    """The name and the version of a pack that ships."""
    return f"{name} {tomllib.loads(read_files(name)['pack.toml'])['version']}"


def with_version(text: str, version: str) -> str:
    """A copy of guidelines, or of the main file of a pack, under another version."""
    changed, count = re.subn(
        '^version = ".+"', f'version = "{version}"', text, count=1, flags=re.MULTILINE
    )
    assert count == 1
    return changed
