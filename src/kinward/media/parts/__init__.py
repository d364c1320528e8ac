"""Parts: every file in some bytes that a common viewer would show, found without decoding any.

A file may be followed by others, hold others, or be one of several things to several viewers. This
is the face of the sub-room. It runs in a decoder process, because it reads strangers' bytes.
"""

from kinward.media.parts.budget import Budget
from kinward.media.parts.finder import Part, Role, find_parts
from kinward.media.parts.markup import document_type

__all__ = ("Budget", "Part", "Role", "document_type", "find_parts")
