"""Exchanges: banks that mirror a partner's list, and opinions that go back to the partner."""
