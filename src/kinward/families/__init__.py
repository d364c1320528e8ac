"""Families: what a teen and their guardians settle together. So far: screen time."""
