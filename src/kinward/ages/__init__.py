"""Proofs of age that are verified here: an attestation from a wallet, or an AgeKey."""
