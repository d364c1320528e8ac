"""Checks of authorities: their settings and their credentials."""

import os

from kinward.cli.doctor.result import Result, fine, warn
from kinward.ground.config import Section


def check_settings() -> Result:
    """Which variables do the installed authorities read, and is each value valid?"""
    from kinward.reporting.api import check_authority_settings, installed_sections

    check_authority_settings()
    readers: dict[type[Section], list[str]] = {}
    for name, section_type in installed_sections().items():
        readers.setdefault(section_type, []).append(name)
    lines = [
        f"{', '.join(names)}: {', '.join(map(_set_or_not, section_type.variables())) or 'none'}."
        for section_type, names in readers.items()
    ]
    return fine(" ".join(lines))


def _set_or_not(variable: str) -> str:
    """Return a variable and whether it is set, but not its value, which may be a secret."""
    return f"{variable} ({'set' if os.environ.get(variable) else 'not set'})"


def check_authority() -> Result:
    """Does each authority accept the credentials, and are reports real?"""
    from kinward.reporting.api import HandOver, authority, names_in_use, require_agreement

    authorities = {name: authority(name) for name in names_in_use()}
    answers = " ".join(f"{name} says: {used.check()}" for name, used in authorities.items())
    for name, used in authorities.items():
        if not used.production and not isinstance(used, HandOver):
            return warn(f"{name} is not in production, so its reports reach nobody. {answers}")
        require_agreement(name)
    return fine(f"Reports are real. {answers}")
