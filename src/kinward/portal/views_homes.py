"""Homes that are apart: the teen says so, or a guardian for their own home."""

from typing import Final, cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kinward.families.api import HomeWord, say_homes
from kinward.ground.errors import Invalid
from kinward.portal.views_family import guarded_pairing
from kinward.portal.visitor import Visit, visited

WORDS: Final = ("apart", "together")


@require_POST
@visited
def own_homes(request: Visit) -> HttpResponse:
    """Say whether the homes of all guardians are apart, as the teen."""
    say_homes(account=request.account, word=_word(request))
    messages.success(request, _("Saved."))
    return redirect("family")


@require_POST
@visited
def guardian_home(request: Visit, pairing_id: UUID) -> HttpResponse:
    """Say whether one's own home is apart from the teen's others, as a guardian."""
    pairing = guarded_pairing(request, pairing_id)
    say_homes(account=request.account, word=_word(request), pairing_id=pairing.pk)
    messages.success(request, _("Saved."))
    return redirect("teen", pairing_id)


def _word(request: Visit) -> HomeWord:
    word = request.POST.get("word", "")
    if word not in WORDS:
        raise Invalid
    return cast("HomeWord", word)
