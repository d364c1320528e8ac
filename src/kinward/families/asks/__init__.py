"""Asks: what a teen requests, what a guardian proposes, and the answers to both."""
