"""The rows of cases, at which evidence, actions and reports point. No behaviour."""
