"""The community guidelines: their clauses, and what follows when one is broken."""
