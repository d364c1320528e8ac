"""Read the rows of cases."""

from uuid import UUID

from django.db.models import Q

from kinward.casebook.models import Case
from kinward.ground.errors import NotFound
from kinward.ground.personal import Person


def get_case(case_id: UUID) -> Case:
    """Return a case by its id. Raises `NotFound`."""
    try:
        return Case.objects.select_related("account", "leased_by").get(pk=case_id)
    except Case.DoesNotExist as error:
        raise NotFound(f"There is no case {case_id}.") from error


def about_or_reported_by(person: Person) -> Q:
    """Return the cases about a person, and those in which they reported somebody, as a filter."""
    return Q(account=person.pk) | Q(findings__user_report__reporter=person.pk)
