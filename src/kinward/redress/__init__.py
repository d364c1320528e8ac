"""Redress: what an account holder is told of a decision, and the appeal against it."""
