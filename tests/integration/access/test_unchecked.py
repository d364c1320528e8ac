"""Verbs that write and check no permission: why each may, and which door may call it."""

from typing import Annotated, Final, get_type_hints

import pytest

from kinward.access.actor import Actor
from tests.integration.access.test_actors import FOLLOWS
from tests.support import verbs

# A member of the platform does it, of their own account. The verb takes the account, and the rooms
# of the families check its power. No staff is involved.
MEMBERS: Final = {
    "families.asks.answers.answer_ask",
    "families.asks.answers.answer_proposal",
    "families.asks.requests.ask_guardians",
    "families.asks.requests.propose_setting",
    "families.asks.requests.withdraw_ask",
    "families.pairing.ending.end_pairing",
    "families.pairing.ending.stay_paired",
    "families.pairing.gone.leave_families",
    "families.pairing.invitations.accept_invitation",
    "families.pairing.invitations.create_invitation",
    "families.pairing.invitations.read_invitation",
    "families.pairing.trusted_adults.call_trusted_now",
    "families.pairing.trusted_adults.confirm_trusted_adult",
    "families.pairing.trusted_adults.remove_trusted_adult",
    "families.screen_time.passcodes.show_passcodes",
    "families.settings.keywords.add_keyword",
    "families.settings.keywords.remove_keyword",
    "families.visits.digest.choose_digest",
    "families.visits.digest.confirm_digest",
    "families.visits.sessions.enter_portal",
    "families.visits.sessions.leave_portal",
    "families.visits.sessions.read_link",
    "families.visits.sessions.refuse_link",
    "findings.user_reports.report_pairing",
    "families.pairing.homes.say_homes",
}
# The platform sends it with its key, whose scope the table of routes checks, or a store signs it.
PLATFORM: Final = {
    "ages.services.ask_for_proof",
    "consents.services.link_download",
    "consents.services.receive_notification",
    "families.screen_time.activity.put_activity",
    "families.screen_time.passcodes.use_passcode",
    "families.screen_time.usage.take_heartbeats",
}
# Whoever has the link of an invitation does it: the link is the power.
INVITED: Final = {"access.invitations.accept_invitation"}
# A job or a command of the operator does it by the clock, for everybody alike.
CLOCK: Final = {
    "access.appointments.appoint_alone",
    "access.factors.carry_out_resets",
    "consents.services.forget_notifications",
    "enforcement.services.deliver",
    "evidence.care.rewrap_keys",
    "evidence.care.scrub_evidence",
    "evidence.care.store_next_file",
    "evidence.holds.lift_holds_alone",
    "evidence.services.destroy_expired_evidence",
    "exchanges.mirror.forget",
    "exchanges.mirror.take",
    "exchanges.opinions.mark_due_alone",
    "exchanges.opinions.send",
    "experience.birthdays.apply_birthday",
    "experience.birthdays.growth_ahead",
    "experience.proposals.count_touched",
    "experience.proposals.go_ahead_alone",
    "experience.services.pin_first_pack",
    "families.asks.expiry.forget_reasons",
    "families.asks.expiry.lapse",
    "families.pairing.disputes.end_quiet_cooling",
    "families.pairing.proving.expire_proofs",
    "families.screen_time.activity.forget_activity",
    "families.screen_time.usage.forget_minutes",
    "families.screen_time.zones.forget_zones",
    "families.visits.digest.send_digests",
    "families.visits.sessions.forget_visits",
    "findings.floods.resume_flood",
    "findings.retro.match_check_again",
    "findings.retro.retro_match",
    "ground.jobs.fail_often",
    "guidelines.services.go_ahead_alone",
    "guidelines.services.pin_guidelines",
    "ledger.exporting.read_tile",  # reads, in SQL
    "ledger.holder_words.note_failed",
    "ledger.holder_words.note_received",
    "ledger.queries.unsequenced_since",  # reads, in SQL
    "ledger.sequencing.begin_again",
    "ledger.sequencing.sequence",
    "ledger.sequencing.sequence_all",
    "ledger.signing.publish_checkpoint",
    "ledger.stamping.stamp_newest",
    "ledger.verification.verify_ledger",  # reads, in SQL
    "matching.allowances.go_ahead_alone",
    "matching.retro.next_run",
    "matching.retro.pack_checks",
    "matching.weakening.go_ahead_alone",
    "reconciliation.compare.snapshot",  # reads, in SQL
    "reconciliation.services.reconcile",
    "redress.database.send_due_statements",
    "redress.services.tell_due",
    "redress.silence.begin_silences_alone",
    "reporting.services.file_report",
    "review.second_reading.draw",
    "review.watching.raise_alerts",
    "verdicts.minute.carry_out_pending",
    "verdicts.proposals.go_ahead_alone",
    "verdicts.simulation.simulate_edition",
    "ledger.witnessing.ask_about_newest",
}
# Who signs in is nobody yet. Attempts are counted, and a provider vouches for an identity.
STRANGERS: Final = {
    "access.attempts.begin_attempt",
    "access.attempts.give_back",
    "access.sign_in.record_failed_sign_in",
    "access.sso.admit_identity",
}
# Another log sends its checkpoint to this witness, with its own signature.
LOGS: Final = {
    "ledger.witness_store.StoredTrees.keep",
    "ledger.witness_store.StoredTrees.refuse",
    "ledger.witness_store.StoredTrees.retire",
    "ledger.witness_store.StoredTrees.turn",
}
# It is a step of a verb that was checked, inside its transaction, or of one of those above.
STEPS: Final = {
    "access.delay.carry_out_due",
    "access.delay.go_ahead",
    "access.staff.add_without_password",
    "access.glass.break_glass",
    "enforcement.registration.block_registration",
    "enforcement.registration.unblock_registration",
    "enforcement.removals.end_removals",
    "enforcement.removals.remove_everywhere",
    "enforcement.strikes.add_strike",
    "enforcement.strikes.take_back_strikes",
    "evidence.authenticity.mark_damaged",
    "evidence.services.read_for_report",
    "experience.services.current_pack",
    "experience.settings.end_guardian_settings",
    "experience.settings.withhold",
    "families.asks.grants.take_back_quietly",
    "families.notices.tell",
    "families.pairing.disputes.pause_disputed_pairing",
    "families.pairing.invitations.pair_accounts",
    "families.pairing.roles.end_excluded_trust",
    "families.pairing.trusted_adults.call_trusted",
    "families.pairing.trusted_adults.name_trusted_adult",
    "families.settings.held.drop_held",
    "families.settings.settlement.end_choices",
    "findings.copies.bank_confirmed",
    "ledger.rotating.begin_rotation",
    "ledger.rotating.hand_over",
    "ledger.services.record",
    "matching.floods.guard",
    "matching.floods.record_floods",
    "matching.index.BankIndex.snapshot",
    "matching.marks.mark_alone",
    "matching.quiet.record_quiet",
    "matching.quiet.renew_silenced",
    "matching.services.count_as_new",
    "matching.services.record_check",
    "matching.sql.add_rows",
    "matching.sql.find_live",  # reads, in SQL
    "matching.sql.find_rows",
    "matching.sql.record_rows",
    "matching.versions.next_version",
    "matching.withdrawals.withdraw_hashes",
    "matching.withdrawals.withdraw_named",
    "people.ages.note_told_ahead",
    "people.consent.settle",
    "people.consent.write_word",
    "people.services.set_standing",
    "people.services.set_zone",
    "people.unread.note_unread",
    "redress.services.reverse_statements",
    "redress.services.state_reasons",
    "reporting.filing.Filing.call",
    "reporting.filing.Filing.restart",
    "reporting.services.withdraw_report",
    "review.exposure.note_shown",
    "verdicts.conclusion.conclude",
    "verdicts.conclusion.move_case",
    "verdicts.proposals.propose_verdict",
    "verdicts.report.close_reported",
    "access.personal.forget_words",
    "casebook.personal.unsay_reports",
    "erasure.removing.carry_out",
    "ledger.forgetting.find_said",  # reads, in SQL
    "ledger.forgetting.forget_said",
    "ledger.forgetting.lost_words",  # reads, in SQL
    "ledger.forgetting.unsaid_values",  # reads, in SQL
    "matching.personal.forget_records",
}
# What a door calls although nothing in it checks a permission: its own members, its own key, its
# own clock, and these.
ALSO: Final[dict[str, set[str]]] = {
    "web": {
        "access.sign_in.record_factor",
        "access.sign_in.record_sign_in",
        "access.sso.link_identity",
        "access.factors.refuse_own_reset",  # of one's own factor, whatever one's role
        "access.staff.note_seen",  # that this person is at work
        "ledger.services.record",  # that somebody searched the banks
        "experience.services.current_pack",  # reads, and stores what ships where nothing is stored
    },
    "cli": {
        "experience.services.current_pack",
        "findings.intakes.receive_intake",  # it changes nothing before a person has looked
        "ledger.services.record",  # that a backup was begun, and for whom
        "erasure.replay.replay_erasures",  # what two people decided, after the backup
        "erasure.replay.settle_list",  # why there is no list, in the words of whoever restores
    },
    "portal": {
        "families.pairing.joining.consent_to_account",
        "families.settings.choices.choose_setting",
        "findings.user_reports.receive_user_report",
        "redress.services.file_appeal",
    },
    "gate": {
        "ages.services.take_agekey_answer",
        "ages.services.take_wallet_answer",
        "people.consent.give_consent",
        "people.changes.note_change",
        "people.consent.withdraw_consent",
        "people.services.delete_account",
        "people.services.put_account",
        "people.unread.note_unread",  # that an answer of a store is new to us
        "enforcement.services.acknowledge_actions",
        "enforcement.services.file_to_restore",
        "erasure.services.want_erasure",  # a wish: two people decide on it
        "experience.settings.make_setting",
        "families.pairing.joining.consent_to_account",
        "families.pairing.proving.prove_guardian",
        "families.pairing.proving.withdraw_proof",
        "families.screen_time.zones.set_time_zone",
        "families.settings.choices.choose_setting",
        "families.visits.sessions.open_portal",
        "findings.intakes.receive_intake",
        "findings.upload.receive",
        "ledger.exporting.read_tile",  # reads, in SQL: hashes, which everybody may see
        "findings.user_reports.receive_user_report",
        "redress.services.file_appeal",
    },
}
OWN: Final[dict[str, set[str]]] = {
    "cli": CLOCK,
    "gate": PLATFORM | {"ground.jobs.fail_often"},
    "portal": MEMBERS,
    "web": STRANGERS | INVITED,
}


def test_every_verb_that_writes_takes_an_actor_or_is_listed() -> None:
    listed = [*MEMBERS, *PLATFORM, *INVITED, *CLOCK, *STRANGERS, *LOGS, *STEPS]
    assert sorted(verbs.written_by_nobody()) == sorted(listed)


@pytest.mark.parametrize("door", verbs.DOORS)
def test_a_door_calls_no_verb_that_checks_nothing_but_those_listed(door: str) -> None:
    reached = verbs.reached_from(door)
    unchecked = FOLLOWS | MEMBERS | PLATFORM | INVITED | CLOCK | STRANGERS | STEPS
    assert reached & unchecked <= OWN.get(door, set()) | ALSO.get(door, set())
    assert ALSO.get(door, set()) <= reached, "so that no permission outlives its use"


def test_the_search_finds_what_is_there() -> None:
    reached = verbs.reached_from("web")
    assert "verdicts.minute.give_verdict" in reached
    assert "matching.services.disable_bank" in reached


class Quoted:
    @staticmethod
    def decide(*, actor: "Actor") -> None:
        """Takes an actor in quotes, in a static method."""

    @classmethod
    def settle(cls, who: "Annotated[Actor | None, 1]" = None) -> None:
        """The same, of a class."""


def test_an_actor_is_seen_in_quotes_and_in_a_method_of_a_class() -> None:
    assert get_type_hints(Quoted.decide)["actor"] is Actor
    assert verbs.who_of(Quoted.decide) == "actor"
    assert verbs.who_of(Quoted.settle) == "who"
