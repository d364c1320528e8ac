"""The face of `people`: what other rooms may use."""

from kinward.people.ages import TRUST_CHANGED, note_told_ahead, set_age
from kinward.people.changes import note_change
from kinward.people.consent import (
    CHANGE_CONSENT,
    CONSENT_CHANGED,
    Basis,
    ConsentUnanswered,
    consents_of,
    count_without_change,
    give_consent,
    hears_google,
    withdraw_consent,
)
from kinward.people.days import day_begins, local_day
from kinward.people.locks import LockedAccount, lock_account, lock_accounts
from kinward.people.models import Account, Consent, ConsentSource, Standing
from kinward.people.services import (
    AccountUnknown,
    IdentifierIn,
    Profile,
    account_unknown,
    delete_account,
    digests_of,
    find_accounts,
    get_account,
    put_account,
    related_accounts,
    set_standing,
    set_zone,
    shares_identifier,
)
from kinward.people.unread import note_unread, unread_signals
from kinward.people.waves import NoWave, end_wave, open_waves

__all__ = [
    "CHANGE_CONSENT",
    "CONSENT_CHANGED",
    "TRUST_CHANGED",
    "Account",
    "AccountUnknown",
    "Basis",
    "Consent",
    "ConsentSource",
    "ConsentUnanswered",
    "IdentifierIn",
    "LockedAccount",
    "NoWave",
    "Profile",
    "Standing",
    "account_unknown",
    "consents_of",
    "count_without_change",
    "day_begins",
    "delete_account",
    "digests_of",
    "end_wave",
    "find_accounts",
    "get_account",
    "give_consent",
    "hears_google",
    "local_day",
    "lock_account",
    "lock_accounts",
    "note_change",
    "note_told_ahead",
    "note_unread",
    "open_waves",
    "put_account",
    "related_accounts",
    "set_age",
    "set_standing",
    "set_zone",
    "shares_identifier",
    "unread_signals",
    "withdraw_consent",
]
