"""Exchanges: banks that a partner fills, kept equal to the partner's, and our opinions back."""
