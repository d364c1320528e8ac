"""The authorities, with a package for each."""
