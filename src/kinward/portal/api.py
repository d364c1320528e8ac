"""The face of `portal`: what other rooms may use."""

from kinward.portal.doors import is_for_portal, portal_bounds
from kinward.portal.guides.catalogue import GUIDE_DAYS, stale_guides

__all__ = ["GUIDE_DAYS", "is_for_portal", "portal_bounds", "stale_guides"]
