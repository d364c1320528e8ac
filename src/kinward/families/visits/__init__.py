"""Visits to the portal, what its page shows, and the digest."""
