"""The settings of the CyberTipline's client, read from the environment."""

from typing import ClassVar

from kinward.ground.config import Section


class CyberTiplineSettings(Section, frozen=True, kw_only=True):
    """The address, ending in `/ispws`, and the credentials from NCMEC."""

    prefix: ClassVar[str] = "cybertipline"

    url: str = ""
    username: str = ""
    password: str = ""
