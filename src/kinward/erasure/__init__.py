"""The data of a person: what is held of them, and how it is erased."""
