"""What guardians and teens choose, and the one setting that is settled from it."""
