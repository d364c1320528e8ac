"""Groups of people at the provider of single sign-on, and the role that each gives here."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Final

import msgspec

from kinward.access.actor import Actor
from kinward.access.roles import ROLES, in_order
from kinward.ground.config import config
from kinward.ground.errors import SettingWrong

SSO: Final = Actor.system("sso")  # who acts where the provider vouches at a sign-in


def roles_by_groups(groups: Collection[str], roles: Mapping[str, str]) -> list[str]:
    """Return the roles that somebody's groups give, each once.

    >>> roles_by_groups(["all", "audit", "safety"], {"safety": "reviewer", "audit": "auditor"})
    ['reviewer', 'auditor']
    """
    return in_order({role for group, role in roles.items() if group in groups})


def roles_of_groups() -> Mapping[str, str]:
    """Return the role of each group. Raises `SettingWrong`."""
    return _roles(config().sso_roles)


@cache
def _roles(text: str) -> Mapping[str, str]:
    try:
        roles = msgspec.json.decode(text or "{}", type=dict[str, str])
    except msgspec.MsgspecError as error:
        raise SettingWrong(f"KINWARD_SSO_ROLES is a JSON object: {error}.") from None
    if unknown := set(roles.values()) - set(ROLES):
        raise SettingWrong(f"KINWARD_SSO_ROLES names {min(unknown)!r}, which is no role.")
    return roles
