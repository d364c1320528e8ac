"""The rows of cases: what findings, verdicts, evidence, actions and reports point at. No behaviour."""
