"""The page about cryptography knows each room that uses it."""

import re
from pathlib import Path

PAGE = Path("docs/security/cryptography.md")
ROOT = Path("src/kinward")
USES = re.compile(
    r"^\s*(?:import|from) (?:hmac|cryptography|pyrage)\b|salted_hmac|core\.signing", re.MULTILINE
)


def rooms_that_use_it() -> set[str]:
    found = {path for path in ROOT.rglob("*.py") if USES.search(path.read_text())}
    return {path.relative_to(ROOT).parts[0] for path in found}


def test_each_room_that_uses_cryptography_is_on_the_page() -> None:
    named = set(re.findall(r"`(\w+)[`/]", PAGE.read_text()))
    compared = {
        "web",
        "portal",
        "gate",
        "reporting",
    }  # these compare secrets only, or are a sandbox
    assert rooms_that_use_it() - compared - named == set()
