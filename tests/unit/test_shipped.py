"""What ships under a version is what shipped under it before: an installation may have kept that.

Guidelines and packs in force are stored, and an upgrade changes nothing. Two different documents
with one version cannot be told apart, and the newer one is refused where the older one is stored.
"""

import hashlib
import json
from pathlib import Path
from typing import Final

import pytest

from kinward.guidelines.reading import shipped
from kinward.policy.pack import pack_digest
from kinward.policy.sources import read_files, shipped_editions, shipped_packs
from tests.support.editions import shipped_guidelines, shipped_pack

DIGESTS: Final = Path("tests/support/stored/shipped.json")


def digests() -> dict[str, str]:
    """The digest of each document that ships, by its name and version."""
    packs = {shipped_pack(name): pack_digest(read_files(name)) for name in shipped_packs()}
    earlier = {label: pack_digest(read_files(label)) for label in shipped_editions()}
    guidelines = hashlib.sha256(shipped().encode()).hexdigest()
    return {shipped_guidelines(): guidelines, **packs, **earlier}


@pytest.mark.parametrize("label", digests())
def test_a_changed_document_has_a_new_version(label: str) -> None:
    digest = digests()[label]
    known = json.loads(DIGESTS.read_text())
    line = json.dumps({label: digest})[1:-1]
    assert label in known, f"add {line} to {DIGESTS}, and change no other line there"
    assert known[label] == digest, f"{label} has changed: give it a new version"
