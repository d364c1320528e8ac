"""Consents: what app stores tell us, signed, about the consent of guardians."""
