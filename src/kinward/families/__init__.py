"""Families: pairings of teens and guardians, their settings and asks, screen time and visits."""
