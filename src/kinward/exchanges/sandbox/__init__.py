"""A sandbox of partners: one real server with real state that speaks their protocols.

`/hashsharing`, `/npo` and `/exploitative`: NCMEC's Hash Sharing v2, with a list for each of its
environments. `/stopncii`: StopNCII's API. `/graph`: the part of Meta's ThreatExchange that Kinward
uses. Entries are generated. Nothing here is from a real list.
"""

from kinward.exchanges.sandbox.entries import ENVIRONMENTS, Entry, generated
from kinward.exchanges.sandbox.server import Partner, serve

__all__ = ["ENVIRONMENTS", "Entry", "Partner", "generated", "serve"]
