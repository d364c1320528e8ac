"""The face of `gate`: what other rooms may use."""

from kinward.gate.app import PATHS, Gate

__all__ = ["PATHS", "Gate"]
