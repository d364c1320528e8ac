"""Watching the watchers: what each person's work looks like from outside, and who looks into it.

Past the threshold of a measure an alert opens, and waits until another person says what they found.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now, TruncHour
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.access.api import Staff
from kinward.casebook.api import MATCH, MAX_NOTE, CaseState, Finding, Verdict, VerdictProposal
from kinward.evidence.api import Evidence
from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ledger.api import kinds, record
from kinward.matching.api import Confidence
from kinward.redress.api import Appeal
from kinward.review.measures import MEASURES, Work
from kinward.review.models import Look, SecondReading, StaffAlert


class OwnAlert(KinwardError):
    """This alert is about you. Another person has to look into it."""

    code = "quality.own_alert"
    status = 409


def work_since(since: datetime, person: Staff | None = None) -> dict[int, Work]:
    """Count the work of each person, or of one, since a moment: by the id of the staff."""
    verdicts = Verdict.objects.filter(given_at__gte=since, given_by__isnull=False)
    looks = Look.objects.filter(at__gte=since)
    readings = SecondReading.objects.filter(read_at__gte=since)
    if person is not None:
        verdicts, looks = verdicts.filter(given_by=person), looks.filter(staff=person)
        readings = readings.filter(verdict__given_by=person)
    counted: dict[int, dict[str, int]] = defaultdict(dict)
    for rows in (_verdicts(verdicts), _hours(verdicts), _readings(readings), _looks(looks)):
        for row in rows:
            counted[row["staff"]].update(row)
    names = dict(Staff.objects.filter(pk__in=counted).values_list("pk", "username"))
    return {
        staff: msgspec.convert({**counts, "person": names[staff]}, Work)
        for staff, counts in counted.items()
    }


def _verdicts(verdicts: QuerySet[Verdict]) -> list[Any]:
    files = Evidence.objects.filter(case=OuterRef("case"))
    opened = Look.objects.filter(
        staff=OuterRef("given_by"), evidence__case=OuterRef("case"), at__lte=OuterRef("given_at")
    )
    matches = Finding.objects.filter(
        case=OuterRef("case"), kind=MATCH, confidence=Confidence.VERIFIED, void=False
    )
    appealed = Appeal.objects.filter(statement__case=OuterRef("case"))
    confirmed, dismissed = Q(outcome="confirmed"), Q(outcome="dismissed")
    return list(
        verdicts.annotate(
            has_files=Exists(files),
            was_opened=Exists(opened),
            has_match=Exists(matches),
            was_appealed=Exists(appealed),
        )
        .values(staff=F("given_by"))
        .annotate(
            verdicts=Count("pk"),
            confirmed=Count("pk", filter=confirmed),
            unseen=Count("pk", filter=confirmed & Q(has_files=True, was_opened=False)),
            matches=Count("pk", filter=(confirmed | dismissed) & Q(has_match=True)),
            dismissed_matches=Count("pk", filter=dismissed & Q(has_match=True)),
            overturned=Count("pk", filter=confirmed & Q(case__state=CaseState.OVERTURNED)),
            appeals=Count("pk", filter=confirmed & Q(was_appealed=True)),
        )
    )


def _hours(verdicts: QuerySet[Verdict]) -> list[Any]:
    hours = verdicts.values(staff=F("given_by"), hour=TruncHour("given_at")).annotate(n=Count("pk"))
    busiest: dict[int, int] = {}
    for row in hours:
        busiest[row["staff"]] = max(row["n"], busiest.get(row["staff"], 0))
    return [{"staff": staff, "busiest_hour": count} for staff, count in busiest.items()]


def _readings(readings: QuerySet[SecondReading]) -> list[Any]:
    return list(
        readings.values(staff=F("verdict__given_by")).annotate(
            read=Count("pk"), agreed=Count("pk", filter=Q(agrees=True))
        )
    )


def _looks(looks: QuerySet[Look]) -> list[Any]:
    """Count looks. One is not alone while its case is leased, or once the person did their part."""
    case, staff = OuterRef("evidence__case"), OuterRef("staff")
    decided = (
        Exists(Verdict.objects.filter(case=case, given_by=staff))
        | Exists(VerdictProposal.objects.filter(case=case, second_by=staff))
        | Exists(SecondReading.objects.filter(verdict__case=case, read_by=staff))
        | Exists(Appeal.objects.filter(statement__case=case, decided_by=staff))
    )
    decides = Q(evidence__case__leased_by_id=F("staff_id"), evidence__case__leased_until__gt=Now())
    return list(
        looks.values("staff").annotate(
            looks=Count("pk"), looks_alone=Count("pk", filter=~(decided | decides))
        )
    )


def open_alerts() -> QuerySet[StaffAlert]:
    """Return the alerts that wait for another person, oldest first."""
    return StaffAlert.objects.filter(read_at=None).select_related("staff").order_by("opened_at")


def alerts_for(staff: Staff) -> QuerySet[StaffAlert]:
    """Return the open alerts that a person can look into: all but those about themself."""
    return open_alerts().exclude(staff=staff)


def raise_alerts(now: datetime | None = None) -> int:
    """Open an alert for each measure that is past its threshold. Returns how many.

    One of a kind is open for each person. After somebody looked into it, only what came later
    counts.
    """
    now = now or timezone.now()
    since = now - timedelta(days=config().watch_days)
    return sum(
        _raise_alert(staff, name, since)
        for staff, work in work_since(since).items()
        for name, measure in MEASURES.items()
        if measure.is_past(work)
    )


@transaction.atomic
def _raise_alert(staff_id: int, name: str, since: datetime) -> bool:
    person = Staff.objects.select_for_update(no_key=True).get(pk=staff_id)
    alerts = StaffAlert.objects.filter(staff=person, measure=name)
    if alerts.filter(read_at=None).exists():
        return False
    read = alerts.order_by("read_at").values_list("read_at", flat=True).last()
    measure = MEASURES[name]
    work = work_since(max(since, read or since), person).get(person.pk)
    if work is None or not measure.is_past(work):
        return False
    count, among = measure.count(work), measure.among(work) if measure.among else None
    StaffAlert.objects.create(staff=person, measure=name, count=count, among=among)
    fact = kinds.StaffAlertRaised(measure=name, count=count, among=among)
    record(actor=Actor.system("watching"), subject=str(person.actor), fact=fact)
    return True


@transaction.atomic
def read_alert(*, alert_id: int, note: str, staff: Staff) -> StaffAlert:
    """Close an alert with what another person found. Raises `OwnAlert`, `NotFound` or `Invalid`."""
    staff.must(Permission.READ_VERDICTS)
    if not note.strip() or len(note) > MAX_NOTE:
        raise Invalid(f"Say what you found, in at most {MAX_NOTE} characters.")
    alert = open_alerts().select_for_update(of=("self",)).filter(pk=alert_id).first()
    if alert is None:
        raise NotFound("There is no such alert, or somebody has looked into it.")
    if alert.staff_id == staff.pk:
        raise OwnAlert
    alert.read_by, alert.read_at, alert.note = staff, timezone.now(), note.strip()
    alert.save()
    fact = kinds.StaffAlertRead(alert=alert.pk, measure=alert.measure)
    record(actor=staff.actor, subject=str(alert.staff.actor), fact=fact)
    return alert
