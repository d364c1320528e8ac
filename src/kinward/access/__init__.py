"""Actors, and what each role may do. Pure."""

from kinward.access.actor import AS, Actor, ActorKind
from kinward.access.permissions import Permission
from kinward.access.roles import ROLES, TAKES_TWO, in_words

__all__ = ["AS", "ROLES", "TAKES_TWO", "Actor", "ActorKind", "Permission", "in_words"]
