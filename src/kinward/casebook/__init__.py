"""The rows of cases, at which evidence, actions and reports point, and the kinds of findings."""
