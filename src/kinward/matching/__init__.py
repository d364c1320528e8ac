"""Matching: hashes, banks and the exact lookup. It returns matches, and judges none.

The index needs neither Django nor a database: `from kinward.matching import Index`. It is imported
on first use, so that a process that looks nothing up does not load its compiler.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kinward.matching.hamming import Index, warm, was_kept

__all__ = ("Index", "warm", "was_kept")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.hamming"), name)
