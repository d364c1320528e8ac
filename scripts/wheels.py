"""Print which wheels each locked package has, from the pylock.toml files named.

One line for each package and version: `name==version`, then the tags of its wheels for Linux (with
glibc) and for macOS. The locks have only hashes, so a test needs this table to see whether a
package can be installed everywhere.
"""

import posixpath
import re
import sys
import tomllib
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from packaging.utils import parse_wheel_filename

KEPT: Final = re.compile(
    r"-any$|manylinux\w*_(x86_64|aarch64)|linux_(x86_64|aarch64)|macosx\w*_(arm64|universal2)"
)


def list_tags(package: dict[str, list[dict[str, str]]]) -> set[str]:
    """Return the tags of a package's wheels, as their file names have them."""
    names = [unquote(posixpath.basename(wheel["url"])) for wheel in package.get("wheels", [])]
    for name in names:
        parse_wheel_filename(name)  # refuses what is no wheel's name
    tags = {"-".join(name.removesuffix(".whl").rsplit("-", 3)[1:]) for name in names}
    return {tag for tag in tags if KEPT.search(tag)}


def main(paths: list[str]) -> None:
    table: dict[str, set[str]] = {}
    for path in paths:
        for package in tomllib.loads(Path(path).read_text())["packages"]:
            table[f"{package['name']}=={package['version']}"] = list_tags(package)
    for name, tags in sorted(table.items()):
        print(" ".join([name, *sorted(tags)]))


if __name__ == "__main__":
    main(sys.argv[1:])
