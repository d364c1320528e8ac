"""Tests of the comparison of the tables with the ledger."""
