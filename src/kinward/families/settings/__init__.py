"""The choices of guardians and teens, and the one setting that results from them."""
