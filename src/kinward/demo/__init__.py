"""A small photo community to try Kinward with, and an example of how to connect an app.

It runs as a separate process with a separate database. It calls Kinward over HTTP (`safety.py`),
receives its webhooks (`webhooks.py`), and imports nothing from Kinward.
"""

from kinward.demo.pictures import BANKED_SEEDS, PLAIN_SEEDS, draw, encode
from kinward.demo.visitor import Visitor

__all__ = [
    "BANKED_SEEDS",
    "PLAIN_SEEDS",
    "Visitor",
    "draw",
    "encode",
]
