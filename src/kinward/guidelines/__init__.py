"""The community's guidelines as data, and their consequences. Pure."""

from kinward.guidelines.consequences import Consequence, consequence, is_lasting, rule_for
from kinward.guidelines.dsa import DSA_CATEGORIES, DSA_KEYWORDS
from kinward.guidelines.formats import decode
from kinward.guidelines.reading import guidelines_notices, read_guidelines, shipped, untranslated
from kinward.guidelines.rules import (
    LONG_DAYS,
    Clause,
    Confidence,
    FindingRule,
    Guidelines,
    Incident,
    Silence,
)

__all__ = [
    "DSA_CATEGORIES",
    "DSA_KEYWORDS",
    "LONG_DAYS",
    "Clause",
    "Confidence",
    "Consequence",
    "FindingRule",
    "Guidelines",
    "Incident",
    "Silence",
    "consequence",
    "decode",
    "guidelines_notices",
    "is_lasting",
    "read_guidelines",
    "rule_for",
    "shipped",
    "untranslated",
]
