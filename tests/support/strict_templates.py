"""Templates of ours whose names must be defined: what Django prints as nothing, raises here.

Django resolves an undefined name to an empty text, also inside `{% if %}` and `{% for %}`, where no
setting can make it louder. A template that kept a name which its view lost would stay silently
empty. Templates of Django and of allauth rely on that silence and are left alone: an expression is
held to it by the file in which it stands.
"""

from pathlib import Path
from typing import Any

from django.template import base
from django.template.context import Context
from django.templatetags.i18n import BlockTranslateNode

import kinward

SOURCE = Path(kinward.__file__).parent


class UndefinedName(BaseException):
    """A template of ours uses a name that its context does not have.

    Not an Exception: the operators of `{% if %}` swallow every one of those.
    """


def is_ours(origin: Any) -> bool:
    """Whether a template comes from a file of Kinward."""
    return Path(str(getattr(origin, "name", ""))).is_relative_to(SOURCE)


class OurVariable(base.Variable):
    """A name in a template of ours, which must be defined wherever it is resolved."""

    __slots__ = ("path",)

    def __init__(self, variable: base.Variable, path: str) -> None:
        super().__init__(variable.var)
        self.path = path

    def resolve(self, context: Any) -> Any:
        try:
            return super().resolve(context)
        except base.VariableDoesNotExist as error:
            raise UndefinedName(f"{self.path}: {self.var} (no {error.params[0]})") from None


def install() -> None:
    """Make undefined names raise. Must run before the first template is compiled."""
    compile_expression = base.FilterExpression.__init__
    render_translation = BlockTranslateNode.render

    def compile_strictly(self: Any, token: str, parser: Any) -> None:
        compile_expression(self, token, parser)
        if not is_ours(parser.origin):
            return

        def strict(name: Any) -> Any:
            is_plain = type(name) is base.Variable
            return OurVariable(name, parser.origin.name) if is_plain else name

        self.var = strict(self.var)
        self.filters = [
            (filter_, [(is_variable, strict(arg)) for is_variable, arg in args])
            for filter_, args in self.filters
        ]

    def translate_strictly(self: Any, context: Context, nested: bool = False) -> str:
        if is_ours(self.origin):
            known = {*self.extra_context, self.countervar, *context.flatten()}
            tokens = [*self.singular, *self.plural]
            names = {token.contents for token in tokens if token.token_type.name == "VAR"}
            if names - known:
                raise UndefinedName(f"{self.origin.name}: {', '.join(sorted(names - known))}")
        return str(render_translation(self, context, nested))

    base.FilterExpression.__init__ = compile_strictly  # type: ignore[method-assign]
    BlockTranslateNode.render = translate_strictly  # type: ignore[method-assign]
