"""Deciding cases, and carrying out what follows from a verdict."""
