"""The face of `web`: what other rooms may use."""

from kinward.web.doors import console_bounds

__all__ = ["console_bounds"]
