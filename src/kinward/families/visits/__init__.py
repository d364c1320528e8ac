"""Visits to the portal, the content of the family page, and the weekly digest."""
