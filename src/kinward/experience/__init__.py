"""Experience: the pack in force, the settings of accounts, and the decision for an account."""
