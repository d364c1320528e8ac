"""Matching: is this known? Hashes, banks, the exact lookup. It returns matches, and judges none.

What stands alone, without Django or a database, is here by name: `from kinward.matching import
Index, hash_bytes`. It is imported when it is first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from kinward.matching.hamming import Index
    from kinward.matching.pdq import hash_array, hash_bytes, hash_dihedral, hash_many
    from kinward.matching.video import read_video

__all__ = ("Index", "hash_array", "hash_bytes", "hash_dihedral", "hash_many", "read_video")

_WHERE: Final = {"Index": "hamming", "read_video": "video"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_WHERE.get(name, 'pdq')}")
    return getattr(module, name)
