"""The face of `cli`: what other rooms may use."""

from kinward.cli.main import main

__all__ = [
    "main",
]
