"""What the comparison of the tables with the ledger finds, and a life in which it finds nothing."""

from collections.abc import Collection
from datetime import date
from typing import Any

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.services import create_key, revoke_key
from kinward.access.staff import create_staff, suspend_staff
from kinward.custody.release import ReleaseForm, decide_release, request_release
from kinward.evidence.holds import decide_hold_end, request_hold_end, set_legal_hold
from kinward.evidence.sealing import new_key, public_half
from kinward.experience.services import pin_first_pack
from kinward.families.models import Pairing
from kinward.families.pairing.disputes import pause_disputed_pairing
from kinward.guidelines.services import pin_guidelines
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from kinward.policy.ages import AgeRange
from kinward.reconciliation.gaps import Gap
from kinward.reconciliation.steps import Step, steps
from kinward.review.comments import add_comment
from kinward.review.lease import take_case
from kinward.review.look import look_at_file
from kinward.verdicts import decision
from kinward.verdicts.form import VerdictForm
from tests.support.families import choose_minutes, make_account, pair
from tests.support.helpers import KNOWN_PNG, quarantined

SYSTEM = Actor.system("test")
PASSWORD = "a long test word"


def gaps(names: Collection[str] = (), *, but: Collection[str] = ()) -> list[Gap]:
    """What nothing explains, in some counterparts or in all `but` some."""
    found: list[Gap] = []
    for step in steps():
        name = step.counterpart.name if step.counterpart else "ledger"
        if name not in but and (not names or name in names):
            found += _of_step(step)
    return [gap for gap in found if not gap.rule]


def _of_step(step: Step) -> list[Gap]:
    batch = step.batch("", None)
    found = batch.gaps
    while batch.after:
        batch = step.batch(batch.after, None)
        found += batch.gaps
    return found


def somebody(name: str, role: str) -> Staff:
    return create_staff(username=name, password=PASSWORD, roles=[role], actor=SYSTEM)


def live_a_little(account: Account) -> dict[str, Any]:
    """One of most things that Kinward does, each by its service. Returns the rows to forge."""
    pin_first_pack()
    pin_guidelines()
    robin, cal, kim = (
        somebody("robin", "senior reviewer"),
        somebody("cal", "evidence custodian"),
        somebody("kim", "evidence custodian"),
    )
    suspend_staff(username=somebody("gone", "reviewer").username, actor=SYSTEM)
    create_key(name="app", purposes=["gate"], actor=SYSTEM)
    create_key(name="old", purposes=["gate"], actor=SYSTEM)
    revoke_key(name="old", actor=SYSTEM)
    other = put_account(platform_id="other-member", profile=Profile())[0]
    _decide(other, robin, VerdictForm(outcome="dismissed", note="A mistake."))
    confirmed = VerdictForm(outcome="confirmed", clause="CS-1", note="I saw it.")
    return {
        "account": _grow(),
        "case": _decide(account, robin, confirmed),
        "release": _release(account, cal, kim),
        "pairing": _family(),
        "staff": robin,
    }


def _grow() -> Account:
    """An account whose age changed across a border."""
    for lower in (14, 17):
        profile = Profile(age=AgeRange(lower, lower + 1, "test", "declared"))
        account = put_account(platform_id="grows", profile=profile)[0]
    return account


def _decide(account: Account, robin: Staff, form: VerdictForm) -> Any:
    """A verdict after a look. To dismiss what stands on a verified list takes two people."""
    case = quarantined(account, data=KNOWN_PNG)
    take_case(case=case, staff=robin)
    file = _files(case)[0]
    look_at_file(case_id=case.pk, evidence_id=file.pk, staff=robin, reason="to decide")
    add_comment(case=case, staff=robin, text="A note.")
    decision.decide_case(case_id=case.pk, staff=robin, form=form)
    case.refresh_from_db()
    return case


def _files(case: Any) -> list[Any]:
    from kinward.evidence.models import Evidence

    return list(Evidence.objects.filter(case=case))


def _release(account: Account, cal: Staff, kim: Staff) -> Any:
    case = account.cases.first()
    assert case is not None
    set_legal_hold(case_id=case.pk, reference="AZ 1", actor=cal.actor)
    ending = request_hold_end(case_id=case.pk, why="It is over.", staff=cal)
    decide_hold_end(ending_id=ending.pk, approve=True, staff=kim)
    set_legal_hold(case_id=case.pk, reference="AZ 2", actor=cal.actor)
    form = ReleaseForm(
        account_id=account.platform_id,
        since=date(2026, 1, 1),
        until=date(2026, 12, 31),
        recipient=public_half(new_key()),
        to="Court",
        reference="AZ 3",
        why="A warrant.",
    )
    release = request_release(form=form, staff=cal)
    return decide_release(release_id=release.pk, approve=True, staff=kim)


def _family() -> Pairing:
    guardian, teen = make_account("mo", 40), make_account("theo", 14)
    pairing = pair(guardian, teen)
    choose_minutes(guardian, teen, 60)
    other = make_account("other", 41)
    disputed = pair(other, teen)
    pause_disputed_pairing(teen=teen, pairing_id=disputed.pk)
    return pairing
