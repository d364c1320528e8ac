"""A job that waits names rows, and has nothing that a person typed: an erasure finds it."""

import inspect
from typing import Any

import pytest
from procrastinate.contrib.django import app

# What is no key of a row, and why it says nothing of a person that an erasure has to find.
OTHERS = {
    "timestamp": "the moment of a schedule",
    "name": "of a partner's exchange",
    "location": "of an object in the store, which this job deletes",
    "state": "a standing, one of a few words",
    "withdrawn": "yes or no",
    "actor": "who decided: staff, a key or an operator",
    "by": "who decided: staff, a key or an operator",
}


def arguments_of(task: Any) -> dict[str, Any]:
    """The arguments of a job by name, with their types."""
    inner = [cell.cell_contents for cell in task.func.__closure__ or ()]
    (function,) = [each for each in inner if inspect.isfunction(each)] or [task.func]
    return {name: each.annotation for name, each in inspect.signature(function).parameters.items()}


OURS = sorted(
    name
    for name, task in app.tasks.items()
    if getattr(task.func, "__module__", "").startswith("kinward.") and name != "jobs.rescue"
)


@pytest.mark.parametrize("name", OURS)
def test_its_arguments_are_keys_of_rows(name: str) -> None:
    arguments = arguments_of(app.tasks[name])
    unknown = {word for word in arguments if not word.endswith("_id")} - set(OTHERS)
    assert not unknown, "name a row, or say in OTHERS why an erasure need not find it"
    assert set(arguments.values()) <= {int, str}


def test_every_job_is_asked() -> None:
    assert len(OURS) > 50
    asked = {word for name in OURS for word in arguments_of(app.tasks[name])}
    assert set(OTHERS) <= asked, "an exception that no job needs"
