"""Permissions, each with the words that refuse it."""

from enum import StrEnum


class Permission(StrEnum):
    """One thing that a role may allow. `doing` begins the sentence that refuses it."""

    doing: str

    def __new__(cls, value: str, doing: str) -> "Permission":
        """Create a member from its name and the words that begin its refusal."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.doing = doing
        return member

    WORK_ON_CASES = "cases.work", "Working on cases"
    FREE_CASES = "cases.free", "Freeing a case that another holds"
    READ_VERDICTS = "verdicts.read", "Giving second readings"
    OPEN_EVIDENCE = "evidence.open", "Opening evidence"
    CHOOSE_VIEWING = "evidence.viewing", "Choosing how files are shown"
    HOLD_EVIDENCE = "evidence.hold", "Placing or lifting a legal hold"
    DESTROY_EVIDENCE = "evidence.destroy", "Destroying evidence"
    ERASE_ACCOUNTS = "accounts.erase", "Erasing an account"
    RELEASE_RECORDS = "records.release", "Releasing records"
    HAND_OVER_REPORTS = "reports.hand_over", "Handing reports over"
    END_WAVES = "waves.end", "Ending an alarm about changed ages"
    SWITCH_REPORTING = "reports.switch", "Switching production reporting"
    REPLAY = "deliveries.replay", "Sending parked actions and reports again"
    KEEP_SILENT = "statements.silence", "Delaying a statement"
    DECIDE_APPEALS = "appeals.decide", "Deciding on appeals"
    SEE_BANKS = "banks.see", "Searching banks"
    MARK_HASHES = "banks.mark", "Marking a hash as a false positive"
    SWITCH_BANKS = "banks.switch", "Switching a bank on or off"
    TUNE_BANKS = "banks.tune", "Changing how a bank matches"
    SILENCE_MATCHES = "banks.silence", "Silencing matches"
    SETTLE_FLOODS = "floods.settle", "Releasing a hash after a flood"
    FILL_BANKS = "banks.fill", "Changing the contents of a bank"
    RUN_EXCHANGES = "exchanges.run", "Changing and running exchanges"
    CHANGE_POLICY = "policy.change", "Changing the policy"
    CHANGE_GUIDELINES = "guidelines.change", "Changing the guidelines"
    READ_LEDGER = "ledger.read", "Reading the ledger"
    MANAGE_KEYS = "keys.manage", "Making and revoking API keys"
    MANAGE_STAFF = "staff.manage", "Inviting people and changing roles"
    END_STAFF = "staff.end", "Suspending or ending a staff account"
    REVIEW_GLASS = "glass.review", "Reviewing what an operator did alone"
