"""No film of the corpus leaves the tests running in real time, as SVT-AV1 does under root."""

import os
import sys

from PIL import Image

from tests.support.corpus.filming import short_film


def test_an_av1_film_leaves_the_scheduling_as_it_was() -> None:
    if sys.platform != "linux":  # which alone has these classes
        return
    before = os.sched_getscheduler(0)
    assert short_film(Image.new("RGB", (64, 64)), "mp4", "libsvtav1")
    assert os.sched_getscheduler(0) == before
