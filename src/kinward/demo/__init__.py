"""A small photo community to try Kinward on, and the best example of how to connect an app.

It is a process of its own with a database of its own. It talks to Kinward over HTTP (`safety.py`)
and hears from it by webhook (`webhooks.py`), and it imports nothing of Kinward's.
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
