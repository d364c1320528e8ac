"""The face of `custody`: what other rooms may use."""

from kinward.custody.destruction import DestructionForm, decide_destruction, request_destruction
from kinward.custody.models import Destruction, Release
from kinward.custody.release import (
    ReleaseForm,
    decide_release,
    make_package,
    record_hand_over,
    request_release,
)

__all__ = [
    "Destruction",
    "DestructionForm",
    "Release",
    "ReleaseForm",
    "decide_destruction",
    "decide_release",
    "make_package",
    "record_hand_over",
    "request_destruction",
    "request_release",
]
