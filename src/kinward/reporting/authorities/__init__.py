"""One package for each authority."""
