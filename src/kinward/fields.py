"""Numbers in what a browser sends, which is text and can be anything."""

from kinward.errors import Invalid


def whole_number(text: str, digits: int = 6) -> int | None:
    """A number of at most so many digits, or None where nothing was written.

    >>> whole_number(" 14 "), whole_number("")
    (14, None)
    """
    text = text.strip()
    if text and not is_number(text, digits):
        raise Invalid(f"{text[:20]!r} is not a whole number, or too large.")
    return int(text) if text else None


def is_number(text: str, digits: int = 6) -> bool:
    """Whether a text is a whole number of at most so many digits.

    >>> is_number("14"), is_number("²"), is_number("9" * 5000)
    (True, False, False)
    """
    return text.isascii() and text.isdigit() and len(text) <= digits
