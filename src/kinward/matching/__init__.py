"""Matching: is this known? Hashes, banks, the exact lookup. It returns matches, and judges none."""
