"""The guides of the Safety Center: their facts, their text in each language, and their claims."""
