"""Every command of the command line, and which services of the rooms it reaches."""

import ast
import importlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any, get_args

import click

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.cli.main import COMMANDS


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by the words that an operator types."""
    for name, (where, _, _) in COMMANDS.items():
        module, _, attribute = where.partition(":")
        command = getattr(importlib.import_module(f"kinward.cli.{module}"), attribute)
        yield from _leaves(name, command)


def _leaves(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    if command.invoke_without_command:
        yield name, command
    for below, leaf in command.commands.items():
        yield from _leaves(f"{name} {below}", leaf)


def services(command: click.Command) -> set[Callable[..., Any]]:
    """Every function of a room that a command names, itself or through the command line's own."""
    callback = inspect.unwrap(command.callback) if command.callback else None
    return set(_reached(callback, set())) if isinstance(callback, FunctionType) else set()


def _reached(function: FunctionType, seen: set[FunctionType]) -> Iterator[Callable[..., Any]]:
    seen.add(function)
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    scope = dict(function.__globals__)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kinward."):
            module = importlib.import_module(str(node.module))
            scope |= {
                alias.asname or alias.name: getattr(module, alias.name) for alias in node.names
            }
    for node in ast.walk(tree):
        thing = scope.get(node.id) if isinstance(node, ast.Name) else None
        if not isinstance(thing, FunctionType) or thing in seen:
            continue
        if thing.__module__.startswith("kinward.cli."):
            yield from _reached(thing, seen)
        elif thing.__module__.startswith("kinward."):
            yield thing


def takes_two(service: Callable[..., Any]) -> bool:
    """Whether a service is one of those that take two people: whoever asks is a `Person`."""
    parameters = inspect.signature(inspect.unwrap(service)).parameters.values()
    kinds = [get_args(parameter.annotation) for parameter in parameters]
    return any(Staff in kind and Actor in kind for kind in kinds)
