"""The face of `erasure`: what other rooms may use."""

from kinward.erasure.errors import (
    ErasureAsked,
    ErasureDelayed,
    ErasuresWait,
    ListBroken,
    ListNeeded,
)
from kinward.erasure.export import HeldData, HeldRows, export_data
from kinward.erasure.list import begin_list, keep_list, list_path, read_list
from kinward.erasure.models import Erasure, Wish
from kinward.erasure.registry import delays, gathered
from kinward.erasure.replay import (
    last_mac,
    missing_lines,
    needs_list,
    replay_erasures,
    require_replayed,
    settle_list,
    unlisted_erasures,
)
from kinward.erasure.services import (
    Wanted,
    decide_erasure,
    request_erasure,
    want_erasure,
    wanted_erasures,
)

__all__ = [
    "Erasure",
    "ErasureAsked",
    "ErasureDelayed",
    "ErasuresWait",
    "HeldData",
    "HeldRows",
    "ListBroken",
    "ListNeeded",
    "Wanted",
    "Wish",
    "begin_list",
    "decide_erasure",
    "delays",
    "export_data",
    "gathered",
    "keep_list",
    "last_mac",
    "list_path",
    "missing_lines",
    "needs_list",
    "read_list",
    "replay_erasures",
    "request_erasure",
    "require_replayed",
    "settle_list",
    "unlisted_erasures",
    "want_erasure",
    "wanted_erasures",
]
