"""The face of `experience`: what other rooms may use."""

from kinward.experience.birthdays import (
    Growth,
    apply_birthday,
    birthdays_due,
    growth_ahead,
    growths_ahead,
)
from kinward.experience.changes import brought_by_change
from kinward.experience.edits import RuleChange, changed_expectations, raw_rule, with_change
from kinward.experience.live import (
    Answered,
    compiled,
    decide_all,
    live,
    load_states,
    pack_for,
    person_of,
    today,
)
from kinward.experience.models import Layer, PackVersion, Proposal, Setting
from kinward.experience.population import count_accounts, stored_people
from kinward.experience.proposals import decide_proposal, free_version, get_proposal, propose_pack
from kinward.experience.queries import (
    activation_history,
    current_shadow,
    list_proposals,
    newer_edition,
    pack_versions,
    waiting_proposals,
)
from kinward.experience.services import (
    can_revert,
    current_pack,
    get_pack_version,
    pin_first_pack,
    revert_pack,
    start_shadow,
    stop_shadow,
    store_pack,
)
from kinward.experience.settings import (
    GuardianValues,
    decide_afresh,
    decide_as_it_stands,
    decide_everything,
    decide_with,
    holds,
    make_setting,
    withhold,
)
from kinward.experience.shadow import tally_shadow

__all__ = [
    "Answered",
    "Growth",
    "GuardianValues",
    "Layer",
    "PackVersion",
    "Proposal",
    "RuleChange",
    "Setting",
    "activation_history",
    "apply_birthday",
    "birthdays_due",
    "brought_by_change",
    "can_revert",
    "changed_expectations",
    "compiled",
    "count_accounts",
    "current_pack",
    "current_shadow",
    "decide_afresh",
    "decide_all",
    "decide_as_it_stands",
    "decide_everything",
    "decide_proposal",
    "decide_with",
    "free_version",
    "get_pack_version",
    "get_proposal",
    "growth_ahead",
    "growths_ahead",
    "holds",
    "list_proposals",
    "live",
    "load_states",
    "make_setting",
    "newer_edition",
    "pack_for",
    "pack_versions",
    "person_of",
    "pin_first_pack",
    "propose_pack",
    "raw_rule",
    "revert_pack",
    "start_shadow",
    "stop_shadow",
    "store_pack",
    "stored_people",
    "tally_shadow",
    "today",
    "waiting_proposals",
    "with_change",
    "withhold",
]
