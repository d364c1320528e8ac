"""The `threatexchange` package hashes with our PDQ where `pdqhash` is not installed."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from kinward.demo import pictures
from kinward.exchanges.hashing import compute
from kinward.media import read_picture
from tests.support import reference_pictures

# What an operator's extension does, in a process where `pdqhash` cannot be imported.
EXTENSION = """
import os, sys
sys.modules["pdqhash"] = None
os.environ["DJANGO_SETTINGS_MODULE"] = "kinward.project.settings"
import django
django.setup()
from kinward.exchanges import partners
from threatexchange.signal_type.pdq.signal import PdqSignal
for line in sys.stdin:
    print(PdqSignal.hash_from_bytes(bytes.fromhex(line)))
"""


def test_an_extension_hashes_pictures_without_pdqhash() -> None:
    drawn = pictures.draw(901, (320, 240)).convert("RGB")
    files = [pictures.encode(drawn.convert(mode)) for mode in ("RGB", "RGBA", "L")]
    done = subprocess.run(
        [sys.executable, "-c", EXTENSION],
        input="\n".join(data.hex() for data in files),
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.split() == [read_picture(data, 10**8).signature.hex() for data in files]


@pytest.mark.parametrize("seed", range(5))
def test_bits_and_quality_have_the_reference_s_form(seed: int) -> None:
    data = reference_pictures.draw_file("PNG", seed)
    bits, quality = compute(np.asarray(Image.open(io.BytesIO(data))))
    theirs, their_quality = reference_pictures.read_reference()["PNG", seed]
    assert bits.shape == (256,)
    assert np.bitwise_xor(bits, np.unpackbits(np.frombuffer(theirs, np.uint8))).sum() <= 2
    assert abs(quality - their_quality) <= 1
