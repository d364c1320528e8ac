"""The console's addresses."""

from allauth.account import views as account
from django.urls import include, path

from kinward.web import (
    views_appeals,
    views_banks,
    views_case,
    views_guidelines,
    views_operations,
    views_policy,
)

urlpatterns = [
    path("", views_case.home, name="home"),
    path("queue", views_case.queue, name="queue"),
    path("next", views_case.take_next, name="take_next"),
    path("cases/<uuid:case_id>", views_case.case, name="case"),
    path("cases/<uuid:case_id>/take", views_case.take_case, name="take"),
    path("cases/<uuid:case_id>/give-up", views_case.give_up_case, name="give_up"),
    path("cases/<uuid:case_id>/decide", views_case.decide_case, name="decide"),
    path("cases/<uuid:case_id>/files/<uuid:evidence_id>/veil", views_case.veil, name="veil"),
    path("cases/<uuid:case_id>/files/<uuid:evidence_id>/show", views_case.show, name="show"),
    path("cases/<uuid:case_id>/silence", views_case.silence, name="silence"),
    path("appeals", views_appeals.appeals, name="appeals"),
    path("appeals/<uuid:appeal_id>/take", views_appeals.take, name="take_appeal"),
    path("appeals/<uuid:appeal_id>/decide", views_appeals.decide, name="decide_appeal"),
    path(
        "cases/<uuid:case_id>/pairings/<uuid:pairing_id>",
        views_case.settle_pairing,
        name="settle_pairing",
    ),
    path("guidelines", views_guidelines.guidelines, name="guidelines"),
    path("guidelines/propose", views_guidelines.propose, name="propose_guidelines"),
    path("guidelines/<uuid:edition_id>", views_guidelines.edition, name="edition"),
    path("guidelines/<uuid:edition_id>/counted", views_guidelines.counted, name="counted"),
    path("guidelines/<uuid:edition_id>/decide", views_guidelines.decide, name="decide_edition"),
    path("policy", views_policy.policy, name="policy"),
    path("policy/packs", views_policy.propose_pack, name="propose_pack"),
    path("policy/revert", views_policy.revert, name="revert"),
    path("policy/rules/<str:rule_id>", views_policy.rule, name="rule"),
    path("policy/shadow", views_policy.shadow, name="shadow"),
    path("policy/proposals/<uuid:proposal_id>", views_policy.proposal, name="proposal"),
    path("policy/proposals/<uuid:proposal_id>/touched", views_policy.touched, name="touched"),
    path("policy/proposals/<uuid:proposal_id>/decide", views_policy.decide, name="decide_proposal"),
    path("banks", views_banks.banks, name="banks"),
    path("banks/search", views_banks.search, name="search_banks"),
    path("banks/hashes/<int:hash_id>/mark", views_banks.mark, name="mark_hash"),
    path("banks/of/<str:name>", views_banks.bank, name="bank"),
    path("banks/of/<str:name>/switch", views_banks.switch, name="switch_bank"),
    path("operations", views_operations.operations, name="operations"),
    path("operations/actions/<uuid:action_id>/replay", views_operations.replay, name="replay"),
    path("operations/reports/<uuid:report_id>/refile", views_operations.refile, name="refile"),
    # Of allauth's pages only those that staff need: no sign-up, no e-mail, no reset by mail.
    path("account/login/", account.login, name="account_login"),
    path("account/logout/", account.logout, name="account_logout"),
    path("account/reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("account/inactive/", account.account_inactive, name="account_inactive"),
    path("account/password/", account.password_change, name="account_change_password"),
    path("account/2fa/", include("allauth.mfa.urls")),
]
