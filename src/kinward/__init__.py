"""Kinward: the child-safety system that an online community runs beside its app."""

__version__ = "0.1.0"
