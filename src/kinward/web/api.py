"""The face of `web`: what other rooms may use."""

from kinward.web.doors import console_bounds, console_reader

__all__ = ["console_bounds", "console_reader"]
