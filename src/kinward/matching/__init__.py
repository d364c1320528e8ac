"""Matching: is this known? Hashes, banks, the exact lookup. It returns matches, and judges none.

The index stands alone, without Django or a database: `from kinward.matching import Index`. It is
imported when it is first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kinward.matching.hamming import Index

__all__ = ("Index",)


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.hamming").Index
