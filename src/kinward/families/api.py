"""The face of `families`: what other rooms may use."""

from kinward.families.asks.answers import AskAnswer, answer_ask, answer_proposal
from kinward.families.asks.expiry import end_of_day
from kinward.families.asks.reading import open_asks, view_of_ask
from kinward.families.asks.requests import (
    ask_guardians,
    ask_history,
    propose_setting,
    withdraw_ask,
)
from kinward.families.asks.taps import Tap, answer_by_tap, links_of_notice, read_tap
from kinward.families.asks.wording import words_of_ask
from kinward.families.errors import (
    GuardianCooling,
    GuardianUnproven,
    NeedsNoGuardian,
    NotAGuardian,
    NotPaired,
    PairingPaused,
    PasscodeRefused,
    PortalClosed,
    PortalOtherAccount,
    ProofWeaker,
    SettingLocked,
    TooManyTries,
)
from kinward.families.growing import tell_guardians_of_growth
from kinward.families.models import (
    OPEN_ASKS,
    Ask,
    GuardianProof,
    Notice,
    Pairing,
    PortalSession,
    Side,
    TrustedAdult,
)
from kinward.families.notices import NOTICE_MADE, TOPICS, name_in_notices, notice_sentence, tell
from kinward.families.others import others_of
from kinward.families.pairing.disputes import (
    MAX_REACH,
    allow_pairing_again,
    pause_disputed_pairing,
    settle_pairing_dispute,
)
from kinward.families.pairing.ending import end_due_pairings, end_pairing, stay_paired
from kinward.families.pairing.gone import WARD_LEFT
from kinward.families.pairing.homes import HomeWord, homes_are_apart, say_homes
from kinward.families.pairing.invitations import (
    CODE_HOURS,
    MAX_GUARDIANS,
    accept_invitation,
    create_invitation,
    read_invitation,
    tidy_code,
)
from kinward.families.pairing.joining import (
    asks_consent,
    consent_to_account,
    count_unproven_consents,
    has_consented,
)
from kinward.families.pairing.orders import end_by_person, hand_over, pause_by_person
from kinward.families.pairing.power import (
    check_shown_power,
    has_power,
    is_paused,
    live_pairings,
    pairings_of,
    rules_for,
    shows_power,
)
from kinward.families.pairing.proof import is_proven, live_proof, method_of
from kinward.families.pairing.proving import Told, prove_guardian, withdraw_proof
from kinward.families.pairing.roles import trusted_adults_of
from kinward.families.pairing.trusted_adults import (
    MAX_TRUSTED,
    call_trusted_now,
    confirm_trusted_adult,
    remove_trusted_adult,
)
from kinward.families.pairing.weighing import weigh_family
from kinward.families.screen_time.activity import Counts, put_activity
from kinward.families.screen_time.passcodes import passcode_sheet, show_passcodes, use_passcode
from kinward.families.screen_time.usage import KEPT as MINUTES_KEPT
from kinward.families.screen_time.usage import (
    MAX_EVENTS,
    Heartbeat,
    Refusal,
    ScreenTime,
    screen_time,
    take_heartbeats,
    zones_of,
)
from kinward.families.screen_time.zones import set_time_zone
from kinward.families.settings.choices import (
    choose_for_self,
    choose_setting,
    decide_as_shown,
    guardians_of,
)
from kinward.families.settings.cooling import COOLING
from kinward.families.settings.groups import (
    GROUP_NAMES,
    JOIN,
    SETTING_GROUPS,
    SETTING_MEANINGS,
    group_of_setting,
    half_hours,
    settings_by_group,
)
from kinward.families.settings.held import shown_values
from kinward.families.settings.keywords import add_keyword, keywords_of, remove_keyword
from kinward.families.settings.settlement import end_choices
from kinward.families.visits.digest import choose_digest, confirm_digest
from kinward.families.visits.hours import sent_hours
from kinward.families.visits.page import counts_for, groups_for, seen_words
from kinward.families.visits.sessions import (
    LINK_SECONDS,
    VISIT,
    Start,
    current_visit,
    enter_portal,
    leave_portal,
    open_portal,
    read_link,
    refuse_link,
    start_of_visit,
)

__all__ = [
    "CODE_HOURS",
    "COOLING",
    "GROUP_NAMES",
    "JOIN",
    "LINK_SECONDS",
    "MAX_EVENTS",
    "MAX_GUARDIANS",
    "MAX_REACH",
    "MAX_TRUSTED",
    "MINUTES_KEPT",
    "NOTICE_MADE",
    "OPEN_ASKS",
    "SETTING_GROUPS",
    "SETTING_MEANINGS",
    "TOPICS",
    "VISIT",
    "WARD_LEFT",
    "Ask",
    "AskAnswer",
    "Counts",
    "GuardianCooling",
    "GuardianProof",
    "GuardianUnproven",
    "Heartbeat",
    "HomeWord",
    "NeedsNoGuardian",
    "NotAGuardian",
    "NotPaired",
    "Notice",
    "Pairing",
    "PairingPaused",
    "PasscodeRefused",
    "PortalClosed",
    "PortalOtherAccount",
    "PortalSession",
    "ProofWeaker",
    "Refusal",
    "ScreenTime",
    "SettingLocked",
    "Side",
    "Start",
    "Tap",
    "Told",
    "TooManyTries",
    "TrustedAdult",
    "accept_invitation",
    "add_keyword",
    "allow_pairing_again",
    "answer_ask",
    "answer_by_tap",
    "answer_proposal",
    "ask_guardians",
    "ask_history",
    "asks_consent",
    "call_trusted_now",
    "check_shown_power",
    "choose_digest",
    "choose_for_self",
    "choose_setting",
    "confirm_digest",
    "confirm_trusted_adult",
    "consent_to_account",
    "count_unproven_consents",
    "counts_for",
    "create_invitation",
    "current_visit",
    "decide_as_shown",
    "end_by_person",
    "end_choices",
    "end_due_pairings",
    "end_of_day",
    "end_pairing",
    "enter_portal",
    "group_of_setting",
    "groups_for",
    "guardians_of",
    "half_hours",
    "hand_over",
    "has_consented",
    "has_power",
    "homes_are_apart",
    "is_paused",
    "is_proven",
    "keywords_of",
    "leave_portal",
    "links_of_notice",
    "live_pairings",
    "live_proof",
    "method_of",
    "name_in_notices",
    "notice_sentence",
    "open_asks",
    "open_portal",
    "others_of",
    "pairings_of",
    "passcode_sheet",
    "pause_by_person",
    "pause_disputed_pairing",
    "propose_setting",
    "prove_guardian",
    "put_activity",
    "read_invitation",
    "read_link",
    "read_tap",
    "refuse_link",
    "remove_keyword",
    "remove_trusted_adult",
    "rules_for",
    "say_homes",
    "screen_time",
    "seen_words",
    "sent_hours",
    "set_time_zone",
    "settings_by_group",
    "settle_pairing_dispute",
    "show_passcodes",
    "shown_values",
    "shows_power",
    "start_of_visit",
    "stay_paired",
    "take_heartbeats",
    "tell",
    "tell_guardians_of_growth",
    "tidy_code",
    "trusted_adults_of",
    "use_passcode",
    "view_of_ask",
    "weigh_family",
    "withdraw_ask",
    "withdraw_proof",
    "words_of_ask",
    "zones_of",
]
