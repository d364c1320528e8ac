"""The ledger: everything that is decided, done or looked at, once, in order, unchangeable."""
