"""The face of `erasure`: what other rooms may use."""

from kinward.erasure.errors import ErasureAsked, ErasureDelayed, ErasuresWait, ListBroken
from kinward.erasure.export import HeldData, HeldRows, export_data
from kinward.erasure.list import keep_list, list_path
from kinward.erasure.models import Erasure, Wish
from kinward.erasure.registry import delays, gathered
from kinward.erasure.replay import replay_erasures, require_replayed, unlisted_erasures
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
    "Wanted",
    "Wish",
    "decide_erasure",
    "delays",
    "export_data",
    "gathered",
    "keep_list",
    "list_path",
    "replay_erasures",
    "request_erasure",
    "require_replayed",
    "unlisted_erasures",
    "want_erasure",
    "wanted_erasures",
]
