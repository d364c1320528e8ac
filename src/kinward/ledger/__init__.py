"""The ledger: every decision, act and look, recorded once, in order and for good."""
