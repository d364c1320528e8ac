"""The addresses of the family portal and of the Safety Center."""

from django.urls import path

from kinward.portal import (
    views_asks,
    views_decisions,
    views_family,
    views_pairing,
    views_report,
    views_safe,
    views_safety,
    views_visit,
)

urlpatterns = [
    path("family", views_family.home, name="family"),
    path("family/now", views_family.now, name="family_now"),
    path("family/enter/<str:secret>", views_visit.enter_visit, name="enter"),
    path("family/leave", views_visit.leave_visit, name="leave"),
    path("family/settings/<str:capability>", views_family.own_setting, name="own_setting"),
    path("family/words", views_family.own_words, name="own_words"),
    path("family/teens/<uuid:pairing_id>", views_family.teen, name="teen"),
    path("family/teens/<uuid:pairing_id>/now", views_family.teen_now, name="teen_now"),
    path(
        "family/teens/<uuid:pairing_id>/settings/<str:capability>",
        views_family.guardian_setting,
        name="guardian_setting",
    ),
    path("family/teens/<uuid:pairing_id>/words", views_family.guardian_words, name="teen_words"),
    path("family/teens/<uuid:pairing_id>/codes", views_family.codes, name="codes"),
    path("family/teens/<uuid:pairing_id>/digest", views_family.digest, name="digest"),
    path("family/digest", views_family.confirm, name="confirm_digest"),
    path("family/teens/<uuid:pairing_id>/propose", views_asks.propose, name="propose"),
    path("family/asks", views_asks.ask, name="ask"),
    path("family/asks/<uuid:ask_id>", views_asks.answer, name="answer"),
    path("family/asks/<uuid:ask_id>/withdraw", views_asks.withdraw, name="withdraw"),
    path("family/pair", views_pairing.pair, name="pair"),
    path("family/pair/code", views_pairing.read, name="read_code"),
    path("family/pair/accept", views_pairing.accept, name="accept"),
    path("family/pairings/<uuid:pairing_id>/end", views_pairing.end, name="end"),
    path("family/pairings/<uuid:pairing_id>/stay", views_pairing.stay, name="stay"),
    path("family/pairings/<uuid:pairing_id>/dispute", views_pairing.dispute, name="dispute"),
    path("family/safe", views_safe.safe, name="safe"),
    path("family/safe/call", views_safe.call, name="call_trusted"),
    path(
        "family/safe/<int:trusted_id>/confirm",
        views_safe.confirm_trusted,
        name="confirm_trusted",
    ),
    path("family/safe/<int:trusted_id>/end", views_safe.untrust, name="untrust"),
    path("family/decisions", views_decisions.decisions, name="decisions"),
    path("family/decisions/<uuid:statement_id>", views_decisions.appeal, name="appeal"),
    path("family/report", views_report.report, name="report_something"),
    path("safety", views_safety.choose_language, name="safety"),
    path("safety/<str:language>", views_safety.page, {"name": "index"}, name="safety_home"),
    path("safety/<str:language>/<slug:name>", views_safety.page, name="safety_page"),
]
