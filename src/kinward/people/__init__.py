"""People: the accounts of the platform, as far as Kinward needs to know them."""
