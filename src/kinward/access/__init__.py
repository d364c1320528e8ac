"""Actors, and what each role may do. Pure."""

from kinward.access.actor import Actor, ActorKind
from kinward.access.permissions import Permission
from kinward.access.roles import ROLES

__all__ = ["ROLES", "Actor", "ActorKind", "Permission"]
