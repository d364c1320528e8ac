"""The forms that ask for a code of the second factor, with the budgets of attempts."""

from typing import Any

from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from django.core.exceptions import ValidationError
from django.forms import Form

from kinward.access.api import give_back, record_failed_sign_in
from kinward.web.adapter import take_attempt


class _Counted(Form):
    """Counts each code that is tried, before allauth checks it."""

    user: Any

    def clean_code(self) -> str:
        login = self.user.username
        attempt, known = take_attempt(context.request, what="code", login=login)
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except ValidationError:
            record_failed_sign_in(login=login, what="code", known=known)
            raise
        give_back(attempt)
        return code


class SignInCode(_Counted, AuthenticateForm):  # type: ignore[misc]
    """The code at a sign-in."""


class CodeAgain(_Counted, ReauthenticateForm):  # type: ignore[misc]
    """The code that somebody who is signed in is asked for again."""
