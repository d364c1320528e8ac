"""Every service checks its own permission, also where a door did."""

import inspect
from collections.abc import Iterator
from typing import Any, Final

import pytest

from kinward.access.actor import Actor, ActorKind
from kinward.access.models import ApiKey, Staff
from kinward.access.permissions import Permission
from kinward.access.roles import ROLES, least_roles
from kinward.ground.errors import Forbidden
from kinward.people.models import Account
from tests.support.verbs import Verb, is_staff, modules, verbs, who_of

pytestmark = pytest.mark.django_db(transaction=True)

# What a verb needs. Each is called with an actor that may everything else.
NEEDS: Final[dict[str, Permission]] = {
    "access.services.create_key": Permission.MANAGE_KEYS,
    "access.services.change_key": Permission.MANAGE_KEYS,
    "access.services.revoke_key": Permission.MANAGE_KEYS,
    "access.log_key.request_log_key": Permission.MANAGE_KEYS,
    "access.log_key.decide_log_key": Permission.MANAGE_KEYS,
    "access.glass.review_glass": Permission.REVIEW_GLASS,
    "access.services.rotate_key": Permission.MANAGE_KEYS,
    "enforcement.webhook_secrets.rotate_webhook_secret": Permission.MANAGE_KEYS,
    "access.staff.create_staff": Permission.MANAGE_STAFF,
    "access.factors.request_factor_reset": Permission.MANAGE_STAFF,
    "access.factors.decide_factor_reset": Permission.MANAGE_STAFF,
    "access.appointments.change_roles": Permission.MANAGE_STAFF,
    "access.appointments.give_role": Permission.MANAGE_STAFF,
    "access.appointments.settle_roles": Permission.MANAGE_STAFF,
    "access.appointments.take_role": Permission.MANAGE_STAFF,
    "access.invitations.invite_staff": Permission.MANAGE_STAFF,
    "access.invitations.invite_first": Permission.MANAGE_STAFF,
    "access.invitations.withdraw_invitation": Permission.MANAGE_STAFF,
    "access.provisioning.provision_person": Permission.MANAGE_STAFF,
    "access.provisioning.change_person": Permission.MANAGE_STAFF,
    "access.provisioning.end_person": Permission.END_STAFF,
    "access.provisioning.put_group": Permission.MANAGE_STAFF,
    "access.provisioning.end_group": Permission.MANAGE_STAFF,
    "access.appointments.resume_staff": Permission.MANAGE_STAFF,
    "access.staff.suspend_staff": Permission.END_STAFF,
    "access.staff.end_staff": Permission.END_STAFF,
    "access.after_restore.end_access_of_backup": Permission.END_STAFF,
    "access.after_restore.take_lost_power": Permission.END_STAFF,
    "access.staff.sign_out_everywhere": Permission.END_STAFF,
    "people.waves.end_wave": Permission.END_WAVES,
    "verdicts.appeals.decide_appeal": Permission.DECIDE_APPEALS,
    "custody.destruction.request_destruction": Permission.DESTROY_EVIDENCE,
    "custody.destruction.decide_destruction": Permission.DESTROY_EVIDENCE,
    "erasure.services.request_erasure": Permission.ERASE_ACCOUNTS,
    "erasure.services.decide_erasure": Permission.ERASE_ACCOUNTS,
    "review.exposure.count_look": Permission.OPEN_EVIDENCE,
    "review.look.look_at_file": Permission.OPEN_EVIDENCE,
    "review.look.veil_file": Permission.OPEN_EVIDENCE,
    "review.look.play_file": Permission.OPEN_EVIDENCE,
    "review.look.record_watched": Permission.OPEN_EVIDENCE,
    "review.second_reading.record_second_reading": Permission.READ_VERDICTS,
    "review.watching.read_alert": Permission.READ_VERDICTS,
    "custody.release.request_release": Permission.RELEASE_RECORDS,
    "custody.release.decide_release": Permission.RELEASE_RECORDS,
    "custody.release.record_hand_over": Permission.RELEASE_RECORDS,
    "custody.release.make_package": Permission.RELEASE_RECORDS,
    "review.comments.add_comment": Permission.WORK_ON_CASES,
    "verdicts.decision.decide_case": Permission.WORK_ON_CASES,
    "verdicts.decision.decide_leased": Permission.WORK_ON_CASES,
    "verdicts.decision.rehearse": Permission.WORK_ON_CASES,
    "verdicts.minute.give_verdict": Permission.WORK_ON_CASES,
    "verdicts.minute.take_back": Permission.WORK_ON_CASES,
    "verdicts.proposals.answer_proposal": Permission.WORK_ON_CASES,
    "verdicts.proposals.write_second_word": Permission.WORK_ON_CASES,
    "review.lease.free_case": Permission.FREE_CASES,
    "review.lease.release_lease": Permission.WORK_ON_CASES,
    "verdicts.report.hand_over_report": Permission.HAND_OVER_REPORTS,
    "verdicts.report.refile_report": Permission.REPLAY,
    "verdicts.decision.allow_again": Permission.FREE_CASES,
    "verdicts.decision.settle_case_dispute": Permission.WORK_ON_CASES,
    "verdicts.orders.decide_pairing_order": Permission.WORK_ON_CASES,
    "verdicts.orders.pause_by_command": Permission.WORK_ON_CASES,
    "verdicts.orders.pause_pairing": Permission.WORK_ON_CASES,
    "verdicts.orders.request_pairing_order": Permission.WORK_ON_CASES,
    "review.lease.take_case": Permission.WORK_ON_CASES,
    "review.lease.take_next_case": Permission.WORK_ON_CASES,
    "review.preferences.set_preferences": Permission.CHOOSE_VIEWING,
    "enforcement.services.replay_action": Permission.REPLAY,
    "evidence.services.destroy_on_request": Permission.DESTROY_EVIDENCE,
    "evidence.viewing.open_evidence": Permission.OPEN_EVIDENCE,
    "evidence.viewing.play_evidence": Permission.OPEN_EVIDENCE,
    "evidence.services.read_for_release": Permission.RELEASE_RECORDS,
    "evidence.holds.set_legal_hold": Permission.HOLD_EVIDENCE,
    "evidence.holds.request_hold_end": Permission.HOLD_EVIDENCE,
    "evidence.holds.decide_hold_end": Permission.HOLD_EVIDENCE,
    "evidence.services.require_reason": Permission.OPEN_EVIDENCE,
    "evidence.services.veil_evidence": Permission.OPEN_EVIDENCE,
    "evidence.viewing.record_evidence_watched": Permission.OPEN_EVIDENCE,
    "exchanges.changes.change_exchange": Permission.RUN_EXCHANGES,
    "exchanges.changes.remove_exchange": Permission.RUN_EXCHANGES,
    "exchanges.opinions.decide_false_positive": Permission.MARK_HASHES,
    "exchanges.opinions.mark_false_positive": Permission.MARK_HASHES,
    "exchanges.services.add_exchange": Permission.RUN_EXCHANGES,
    "exchanges.services.set_exchange_enabled": Permission.RUN_EXCHANGES,
    "exchanges.sync.sync_exchange": Permission.RUN_EXCHANGES,
    "experience.proposals.decide_proposal": Permission.CHANGE_POLICY,
    "experience.proposals.propose_pack": Permission.CHANGE_POLICY,
    "experience.services.revert_pack": Permission.CHANGE_POLICY,
    "experience.services.start_shadow": Permission.CHANGE_POLICY,
    "experience.services.stop_shadow": Permission.CHANGE_POLICY,
    "experience.services.store_pack": Permission.CHANGE_POLICY,
    "guidelines.services.decide_edition": Permission.CHANGE_GUIDELINES,
    "guidelines.services.propose_edition": Permission.CHANGE_GUIDELINES,
    "matching.empty.delete_empty_bank": Permission.FILL_BANKS,
    "matching.imports.import_list": Permission.FILL_BANKS,
    "matching.allowances.decide_withdrawal": Permission.SWITCH_BANKS,
    "matching.allowances.request_withdrawal": Permission.SWITCH_BANKS,
    "matching.withdrawals.allow_withdrawal": Permission.SWITCH_BANKS,
    "matching.services.add_hashes": Permission.FILL_BANKS,
    "matching.services.fill_bank": Permission.FILL_BANKS,
    "matching.services.begin_addition": Permission.FILL_BANKS,
    "matching.services.create_bank": Permission.FILL_BANKS,
    "matching.services.disable_bank": Permission.SWITCH_BANKS,
    "findings.floods.release_flood": Permission.SETTLE_FLOODS,
    "matching.floods.settle_flood_as_right": Permission.SETTLE_FLOODS,
    "matching.marks.mark_hash_false_positive": Permission.MARK_HASHES,
    "matching.marks.mark_or_ask": Permission.MARK_HASHES,
    "matching.marks.decide_marking": Permission.MARK_HASHES,
    "matching.tuning.tune_bank": Permission.TUNE_BANKS,
    "matching.tuning.request_silencing": Permission.SILENCE_MATCHES,
    "matching.tuning.decide_silencing": Permission.SILENCE_MATCHES,
    "matching.weakening.tune_or_ask": Permission.TUNE_BANKS,
    "matching.weakening.disable_or_ask": Permission.SWITCH_BANKS,
    "matching.weakening.decide_weakening": Permission.TUNE_BANKS,
    "matching.tuning.end_silencing": Permission.SILENCE_MATCHES,
    "matching.services.remove_hashes": Permission.FILL_BANKS,
    "redress.silence.keep_silent": Permission.KEEP_SILENT,
    "redress.silence.request_long_silence": Permission.KEEP_SILENT,
    "redress.silence.decide_long_silence": Permission.KEEP_SILENT,
    "redress.services.settle_appeal": Permission.DECIDE_APPEALS,
    "reporting.production.approve_production": Permission.SWITCH_REPORTING,
    "reporting.production.request_production": Permission.SWITCH_REPORTING,
    "reporting.production.end_production": Permission.SWITCH_REPORTING,
    "reporting.corrections.record_correction": Permission.HAND_OVER_REPORTS,
    "reporting.services.handed_over": Permission.HAND_OVER_REPORTS,
    "reporting.services.unpark": Permission.REPLAY,
}
# They write what follows from a verdict, an upload or a member's own choice. The verb above them
# was checked; `test_unchecked.py` says which
# door may call one of them.
FOLLOWS: Final = {
    "access.sign_in.record_factor",  # a person's own, as are the next two
    "access.sign_in.record_sign_in",
    "access.sso.link_identity",
    "access.appointments.appoint",
    "access.factors.refuse_own_reset",
    "access.agreement.refuse_about_self",
    "access.staff.note_seen",
    "access.staff.sign_out",
    "access.staff.put_roles",
    "access.staff.reactivate",
    "ages.services.take_agekey_answer",
    "ages.services.take_wallet_answer",
    "verdicts.appeals.take_reports_back",
    "verdicts.consequences.give_contents_back",
    "verdicts.consequences.undo_consequences",
    "verdicts.void.give_back_void",
    "verdicts.bank.unbank",
    "verdicts.disputes.end_disputed",
    "findings.upload.receive",
    "findings.opening.open_or_join",
    "findings.matches.add_match",
    "custody.package.items",
    "findings.intakes.receive_intake",
    "findings.user_reports.receive_user_report",
    "enforcement.removals.remove_copy",
    "enforcement.sanctions.impose_sanction",
    "enforcement.sanctions.lift_sanction",
    "enforcement.services.acknowledge_actions",
    "enforcement.services.file_to_restore",
    "enforcement.services.issue_account",
    "enforcement.services.issue_content_action",
    "enforcement.services.notify_account",
    "evidence.terms.keep_for_appeals",
    "evidence.terms.keep_shortly",
    "evidence.terms.keep_until",
    "evidence.services.read_for_restoration",
    "evidence.services.seal_excerpt",
    "evidence.services.seal_file",
    "exchanges.opinions.give_opinion",
    "experience.services.activate_proposal",
    "experience.settings.make_setting",
    "families.settings.choices.choose_setting",
    "families.settings.choices.put_choice",
    "families.settings.choices.write_choice",
    "families.pairing.disputes.end_between",
    "families.pairing.joining.consent_to_account",
    "families.pairing.orders.end_by_person",
    "families.pairing.orders.hand_over",
    "families.pairing.orders.pause_by_person",
    "families.pairing.proving.end_proof",
    "families.pairing.proving.end_proofs_of",
    "families.pairing.proving.prove_guardian",
    "families.pairing.proving.withdraw_proof",
    "families.asks.grants.grant",
    "families.asks.grants.take_back_grant",
    "families.pairing.disputes.allow_pairing_again",
    "families.pairing.disputes.settle_pairing_dispute",
    "families.pairing.ending.close_pairing",
    "families.settings.held.hold_choice",
    "families.settings.held.release_held",
    "families.pairing.ending.finish_pairing",
    "families.visits.sessions.open_portal",
    "families.screen_time.zones.set_time_zone",
    "families.settings.settlement.end_grant",
    "families.settings.settlement.settle",
    "families.settings.settlement.settle_all",
    "people.ages.record_change",
    "people.ages.record_move",
    "people.ages.record_refused",
    "people.ages.set_age",
    "people.waves.count_change",
    "people.consent.give_consent",
    "people.changes.hear_google",
    "people.changes.note_change",
    "people.consent.withdraw_consent",
    "erasure.replay.replay_erasures",  # two people decided on each, before the restore
    "erasure.replay.settle_list",  # whoever restores says it: it opens what the restore closed
    "erasure.services.want_erasure",  # a wish, on which two people decide
    "people.services.delete_account",
    "people.services.put_account",
    "redress.services.file_appeal",
    "reporting.corrections.open_correction",
    "reporting.services.open_report",
    "reporting.services.withdraw",
}
# They change nothing.
READS: Final = {
    "access.devices.known_device",
    "access.devices.remember_device",
    "access.sso.has_identity",
    "access.sso.is_of_provider",
    "access.appointments.is_waiting",
    "access.actor.Actor.is_namesake",
    "access.appointments.appointments_for",
    "access.appointments.asker_of",
    "access.staff.keep_an_administrator",
    "access.vouching.owes_to",
    "review.exposure.exposure_of",
    "evidence.queries.seconds_played",
    "evidence.queries.shown_before",
    "evidence.queries.viewed_entirely",
    "evidence.queries.viewed_mostly",
    "evidence.queries.sealed_by",
    "evidence.warrants.grounds_of",
    "access.agreement.asked",
    "access.agreement.barred_of",
    "access.glass.actor_of",
    "access.delay.is_alone",
    "access.delay.alone_until",
    "verdicts.form.verdict_of",
    "review.watching.alerts_for",
    "review.watching.work_since",
    "review.queue.cases_free_for",
    "review.queue.free_for",
    "review.lease.require_lease",
    "review.preferences.preferences_of",
    "verdicts.page.page_of",
}
# The protocol of two people is tried with each of its models in test_agreement. Who decides on a
# role needs that role's powers, and test_joining tries it.
ELSEWHERE: Final = {
    "access.agreement.decide_agreement",
    "access.agreement.lock_agreement",
    "access.appointments.decide_appointment",
}


def acting() -> Iterator[tuple[str, Verb]]:
    """Every public function or method that takes an actor or a person of the staff."""
    for module in modules():
        for name, verb in verbs(module):
            if who_of(verb) is not None:
                yield f"{module.__name__}.{name}".removeprefix("kinward."), verb


def test_every_verb_that_takes_an_actor_is_listed() -> None:
    listed = [*NEEDS, *FOLLOWS, *READS, *ELSEWHERE]
    assert sorted(name for name, _ in acting()) == sorted(listed)


def call(name: str, monkeypatch: pytest.MonkeyPatch, permissions: frozenset[Permission]) -> None:
    """Call a verb with an actor that has just these permissions, and otherwise with nothing."""
    function = dict(acting())[name]
    parameters = inspect.signature(function).parameters
    monkeypatch.setitem(ROLES, "tester", permissions)
    who = who_of(function)
    arguments: dict[str, Any] = {
        parameter.name: None
        for parameter in parameters.values()
        if parameter.default is parameter.empty and parameter.name != who
    }
    staff = Staff.objects.create_user(username="t", password="a long test word", roles=["tester"])
    arguments[str(who)] = staff if is_staff(function, str(who)) else staff.actor
    positional = [
        arguments.pop(parameter.name)
        for parameter in parameters.values()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and parameter.name in arguments
    ]
    answer = function(*positional, **arguments)
    if inspect.isgenerator(answer):
        next(answer)


@pytest.mark.parametrize("name", sorted(NEEDS))
def test_who_lacks_a_verbs_permission_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything_else = frozenset(Permission) - {NEEDS[name]}
    with pytest.raises(Forbidden, match=NEEDS[name].doing):
        call(name, monkeypatch, everything_else)


@pytest.mark.parametrize("name", sorted(NEEDS))
def test_who_has_just_that_permission_gets_further(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    also = {Permission.FILL_BANKS} if name == "exchanges.services.add_exchange" else set()
    problem: Exception | None = None
    try:
        call(name, monkeypatch, frozenset({NEEDS[name], *also}))
    except Exception as error:  # it was given nothing to work on
        problem = error
    assert not isinstance(problem, Forbidden)


def test_every_permission_is_needed_by_a_verb() -> None:
    needed = set(NEEDS.values())
    assert set(Permission) - needed == {
        Permission.SEE_BANKS,  # a page that only reads, and records that it did
        Permission.READ_LEDGER,  # the same
    }


def test_a_role_allows_nothing_that_is_not_a_permission_and_ends_with_the_person() -> None:
    staff = Staff(username="robin", roles=["reviewer"])
    assert str(staff.actor) == "staff:robin"
    assert staff.may(Permission.WORK_ON_CASES)
    assert not staff.may(Permission.RELEASE_RECORDS)
    staff.is_active = False
    assert not staff.actor.permissions
    with pytest.raises(Forbidden, match=r"Working on cases needs the role of a reviewer\."):
        staff.must(Permission.WORK_ON_CASES)


def test_what_the_ledger_calls_each_kind_of_actor() -> None:
    assert str(ApiKey(name="app").actor) == "key:app"
    assert str(Account(platform_id="a:b").actor) == "account:a:b"
    assert str(Actor.operator("root")) == "operator:root"
    assert str(Actor.system("cases")) == "system:cases"
    assert str(Actor.rule("exact")) == "rule:exact"
    for kind in ActorKind:
        assert Actor.stored(f"{kind}:a:b") == Actor(kind, "a:b")


def test_only_an_operator_and_the_system_may_everything_and_a_stored_name_nothing() -> None:
    for actor in (Actor.operator("root"), Actor.system("cases")):
        assert actor.permissions == frozenset(Permission)
        assert Actor.stored(str(actor)).permissions == frozenset()
    for actor in (Actor.key("app"), Actor.account("a"), Actor.rule("r")):
        assert actor.permissions == frozenset()


def test_what_no_role_may_is_said_to_be_for_the_command_line() -> None:
    alone = {permission for permission in Permission if not least_roles(permission)}
    assert alone == {
        Permission.FILL_BANKS,
        Permission.MANAGE_KEYS,
        Permission.RUN_EXCHANGES,
    }
    with pytest.raises(Forbidden, match="is done on the command line"):
        Actor.key("app").must(Permission.MANAGE_KEYS)
    with pytest.raises(Forbidden, match="needs the role of a reviewer or an operator"):
        Actor.key("app").must(Permission.SEE_BANKS)
