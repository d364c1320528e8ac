"""The face of `portal`: what other rooms may use."""

from kinward.portal.doors import is_for_portal, portal_bounds

__all__ = ["is_for_portal", "portal_bounds"]
