"""The face of `erasure`: what other rooms may use."""

from kinward.erasure.clearance import Clearance, require_known, wait_until_known
from kinward.erasure.errors import (
    ErasureAsked,
    ErasureDelayed,
    ErasuresUnknown,
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
    "Clearance",
    "Erasure",
    "ErasureAsked",
    "ErasureDelayed",
    "ErasuresUnknown",
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
    "require_known",
    "require_replayed",
    "settle_list",
    "unlisted_erasures",
    "wait_until_known",
    "want_erasure",
    "wanted_erasures",
]
