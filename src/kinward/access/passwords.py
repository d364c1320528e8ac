"""What no password may be: common, known from a breach, or made of the words of this place.

Django calls these validators wherever somebody sets a password.
"""

import hashlib
import re
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import urlsplit

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

from kinward.ground.config import config
from kinward.ground.errors import SettingWrong

SHORTEST: Final = 4  # characters of a word that counts as one of this place
OURS: Final = ("kinward", "password", "safety", "moderat", "review")
PADDING: Final = re.compile(r"[\W\d_]*")
MOST: Final = 20  # characters of it that are tried on each side
REPEATED: Final = re.compile(r"(.+?)\1+")
DIGEST: Final = re.compile(rb"[0-9A-Fa-f]{40}")
LONGEST_LINE: Final = 80  # bytes: a digest, a colon and a count


class NoCommonPassword(CommonPasswordValidator):
    """Refuses common passwords, also with digits and signs around them, or several times over.

    Digits and signs around nothing are common, too.
    """

    def validate(self, password: str, user: object = None) -> None:
        """Raise `ValidationError` for a common password."""
        whole = password.lower()
        before, after = len(PADDING.match(whole)[0]), len(PADDING.match(whole[::-1])[0])  # type: ignore[index]
        once = REPEATED.fullmatch(whole[before : len(whole) - after])
        forms = {once[1] if once else whole} | {
            whole[start : len(whole) - end]
            for start in range(min(before, MOST) + 1)
            for end in range(min(after, MOST) + 1)
        }
        if before == len(whole) or forms & self.passwords:
            raise ValidationError(self.get_error_message(), code="password_too_common")


class NoWordsOfThisPlace:
    """Refuses a password that is little more than the name of the person, or of this place."""

    def validate(self, password: str, user: object = None) -> None:
        """Raise `ValidationError` if too little is left without these words."""
        rest = password.casefold()
        for word in sorted(_words(getattr(user, "username", "")), key=len, reverse=True):
            rest = rest.replace(word, "")
        if rest != password.casefold() and len(re.sub(r"[\W\d_]", "", rest)) < SHORTEST:
            raise ValidationError(
                "Your name, or words of this place, are most of this password.",
                code="password_of_this_place",
            )

    def get_help_text(self) -> str:
        """Return what a person reads before choosing."""
        return "Your password can't be made of your name or of words of this place."


class NoBreachedPassword:
    """Refuses a password whose SHA-1 is in the file that `KINWARD_BREACHED_PASSWORDS` names."""

    def validate(self, password: str, user: object = None) -> None:
        """Raise `ValidationError` for a listed password, `SettingWrong` without a usable list."""
        path = config().breached_passwords
        if path and is_listed(Path(path), password):
            raise ValidationError(
                "This password is known from a breach. Choose another one.",
                code="password_breached",
            )

    def get_help_text(self) -> str:
        """Return what a person reads before choosing."""
        return "Your password can't be one that is known from a breach."


def is_listed(path: Path, password: str) -> bool:
    """Return whether a file of SHA-1 digests has a password's. Raises `SettingWrong`.

    One digest a line in hex, in ascending order, with anything after a colon. Nothing is loaded: a
    list of tens of gigabytes is searched by halves.
    """
    # SHA-1 because the public lists have no other; it hides nothing and proves nothing here.
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    try:
        with path.open("rb") as file:
            low, high = 0, file.seek(0, 2)
            while low < high:
                middle = (low + high) // 2
                start, digest = _line_after(file, middle)
                if digest is None or start >= high:
                    high = middle
                elif digest < wanted:
                    low = start + 1
                elif digest > wanted:
                    high = middle
                else:
                    return True
            return _line_after(file, 0)[1] == wanted
    except OSError as error:
        raise SettingWrong(f"KINWARD_BREACHED_PASSWORDS cannot be read: {error}.") from error


def _line_after(file: BinaryIO, offset: int) -> tuple[int, bytes | None]:
    """Return where the first whole line from an offset begins, and its digest. None at the end."""
    file.seek(max(offset - 1, 0))
    if offset:
        file.readline(LONGEST_LINE)
    start = file.tell()
    line = file.readline(LONGEST_LINE)
    if not line.strip():
        return start, None
    if not DIGEST.fullmatch(line[:40]) or line[40:41] not in (b":", b"\r", b"\n", b""):
        raise SettingWrong("KINWARD_BREACHED_PASSWORDS needs one SHA-1 digest a line, in hex.")
    return start, line[:40].upper()


def _words(username: str) -> set[str]:
    """Return the words of this place and of a person, in lower case."""
    chosen = config()
    host = urlsplit(chosen.url).hostname or ""
    text = " ".join((username, chosen.platform_name, host.replace(".", " ")))
    said = {word for word in re.split(r"[\W_]+", text.casefold()) if len(word) >= SHORTEST}
    return {*OURS, *said}
