"""How `scim2-server` reads and writes the people and groups of the provider. Needs `kinward[scim]`.

Every rule is in `access`. Here a resource becomes what the provider says, and a row a resource.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from scim2_models import (
    InvalidFilterException,
    Meta,
    Resource,
    ResourceType,
    SearchRequest,
)
from scim2_models.path import CompareOperator, Comparison
from scim2_server.storage import ScimStorage, SearchPage

from kinward.access import Actor
from kinward.access.api import (
    GroupIn,
    PersonIn,
    ProvisionedGroup,
    ProvisionedPerson,
    change_person,
    end_group,
    end_person,
    provision_person,
    provisioned_groups,
    provisioned_people,
    put_group,
    take_turn,
)
from kinward.gate.scim_models import Group, Member, Membership, User
from kinward.ground.errors import NotFound

PEOPLE: Final = "User"
# The columns by which a resource is found, by the lower-case name of the attribute.
COLUMNS: Final = {
    PEOPLE: {"id": "id", "username": "user_name__iexact", "externalid": "external_id"},
    "Group": {"id": "id", "displayname": "name__iexact", "externalid": "external_id"},
}
Row = ProvisionedPerson | ProvisionedGroup


class Directory(ScimStorage):
    """The people and groups of the provider, for one call of one key.

    A call that changes something has its turn from before it reads. So no version that it read is
    old when it writes, and no two calls undo each other's change of a group.
    """

    def __init__(self, actor: Actor, *, writes: bool) -> None:
        self._actor, self._writes = actor, writes

    @contextmanager
    def operation(self) -> Iterator[None]:
        """Read, change and answer in one transaction."""
        with transaction.atomic():
            if self._writes:
                take_turn()
            yield

    def get(
        self, resource_type: ResourceType, resource_id: str, *, response_parameters: Any = None
    ) -> Resource[Any]:
        """Return a resource. Raises `NotFound`."""
        row = _rows(resource_type).filter(pk=_uuid(resource_id)).first()
        if row is None:
            raise NotFound("The provider added nothing with this id.")
        return _resource(row)

    def search(
        self,
        resource_types: list[ResourceType],
        search_request: SearchRequest[Any],
        *,
        position: Any = None,
    ) -> SearchPage:
        """Return a page of resources, type after type, and the oldest first in each."""
        start, most = search_request.start_index_0 or 0, search_request.count or 0
        total, page = 0, list[Resource[Any]]()
        for kind in resource_types:
            rows = _rows(kind)
            if search_request.filter is not None:
                rows = _filtered(rows, kind, search_request.filter.ast)
            first, room = max(0, start - total), most - len(page)
            page += [_resource(row) for row in rows[first : first + room]]
            total += rows.count()
        return SearchPage(total, page)

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """Add a person or a group."""
        if resource_type.name == PEOPLE:
            row: Row = provision_person(given=_person(resource), actor=self._actor)
        else:
            row = put_group(group_id=None, given=_group(resource), actor=self._actor)
        return self.get(resource_type, str(row.pk))

    def update(
        self,
        resource_type: ResourceType,
        resource: Resource[Any],
        *,
        expected_version: str | None = None,
    ) -> Resource[Any]:
        """Replace a person or a group."""
        pk = _uuid(resource.id)
        if resource_type.name == PEOPLE:
            change_person(person_id=pk, given=_person(resource), actor=self._actor)
        else:
            put_group(group_id=pk, given=_group(resource), actor=self._actor)
        return self.get(resource_type, str(pk))

    def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        """End a person's account, or delete a group."""
        if resource_type.name == PEOPLE:
            end_person(person_id=_uuid(resource_id), actor=self._actor)
        else:
            end_group(group_id=_uuid(resource_id), actor=self._actor)


def _rows(kind: ResourceType) -> QuerySet[Any]:
    return provisioned_people() if kind.name == PEOPLE else provisioned_groups()


def _filtered(rows: QuerySet[Any], kind: ResourceType, asked: object) -> QuerySet[Any]:
    """Return the rows that a filter finds. Raises `InvalidFilterException` for any but `eq`."""
    columns = COLUMNS[kind.name or ""]
    if isinstance(asked, Comparison) and asked.op is CompareOperator.eq:
        path, value = asked.attr_path, asked.value
        column = columns.get(path.attr.lower()) if not path.sub_attr else None
        if column == "id":
            return rows.filter(id=_uuid(value))
        if column is not None and isinstance(value, str):
            return rows.filter(**{column: value})
    names = "id, userName or externalId" if kind.name == PEOPLE else "id, displayName or externalId"
    raise InvalidFilterException(detail=f'Filter by one of {names}, as in: id eq "…".')


def _uuid(text: object) -> UUID:
    """Read an id. What is none is nobody's."""
    try:
        return UUID(str(text))
    except ValueError:
        return UUID(int=0)


def _person(resource: Any) -> PersonIn:
    return PersonIn(resource.user_name or "", resource.external_id or "", resource.active)


def _group(resource: Any) -> GroupIn:
    members = frozenset(_uuid(member.value) for member in resource.members or [])
    return GroupIn(resource.display_name or "", resource.external_id or "", members)


def _resource(row: Row) -> Resource[Any]:
    """Return a row as a resource. Its version is of what the provider may read."""
    if isinstance(row, ProvisionedPerson):
        groups = [Membership(value=str(one.pk), display=one.name) for one in row.groups.all()]
        resource: Resource[Any] = User(
            id=str(row.pk),
            external_id=row.external_id,
            user_name=row.user_name,
            active=row.active,
            groups=sorted(groups, key=lambda one: str(one.value)) or None,
        )
        kind = PEOPLE
    else:
        people = sorted(row.people.all(), key=lambda one: str(one.pk))
        members = [Member(value=str(one.pk), ref=f"Users/{one.pk}", type=PEOPLE) for one in people]
        resource = Group(
            id=str(row.pk),
            external_id=row.external_id or None,
            display_name=row.name,
            members=members or None,
        )
        kind = "Group"
    resource.meta = Meta(
        resource_type=kind,
        created=row.made_at,
        last_modified=row.changed_at,
        version=f'W/"{_digest(resource)}"',
    )
    return resource


def _digest(resource: Resource[Any]) -> str:
    return hashlib.sha256(resource.model_dump_json().encode()).hexdigest()[:32]
