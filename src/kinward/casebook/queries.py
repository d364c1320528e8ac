"""Read the rows of cases."""

from uuid import UUID

from kinward.casebook.models import Case
from kinward.ground.errors import NotFound


def get_case(case_id: UUID) -> Case:
    """Return a case by its id. Raises `NotFound`."""
    try:
        return Case.objects.select_related("account", "leased_by").get(pk=case_id)
    except Case.DoesNotExist as error:
        raise NotFound(f"There is no case {case_id}.") from error
