"""The vault: sealed evidence, who may open it, how long it is kept."""
