"""The face of `gate`: what other rooms may use."""

from kinward.gate.app import Gate, is_for_gate

__all__ = ["Gate", "is_for_gate"]
