"""People: the accounts of the platform, with no more than Kinward needs to know."""
