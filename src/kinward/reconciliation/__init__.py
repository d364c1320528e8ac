"""Hold the tables against the ledger, in both directions."""
