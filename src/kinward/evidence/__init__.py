"""Evidence: sealing and opening bytes. Pure."""

from kinward.evidence.sealing import CannotUnseal, new_key

__all__ = [
    "CannotUnseal",
    "new_key",
]
