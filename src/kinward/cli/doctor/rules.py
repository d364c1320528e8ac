"""Checks of the rules in force: the policy pack and the guidelines."""

from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from kinward.cli.doctor.result import Result, fault, fine, warn
from kinward.ground.errors import KinwardError
from kinward.policy import Pack, Problem

if TYPE_CHECKING:
    from kinward.access import Permission
    from kinward.ages.api import Issuers

ENDING: Final = timedelta(days=30)  # before its end, a list of issuers is warned of


def check_policy() -> Result:
    """Can the pack in force be read, and does it pass today's checks?"""
    from kinward.experience.api import compiled, current_pack, newer_edition, today
    from kinward.policy import check_pack

    now = current_pack()
    for version in filter(None, (now.pack, now.rest)):
        try:
            compiled(version.digest, version.pk)
        except KinwardError as error:
            why = error.for_operator
            return fault(f"{version} cannot be read, so every decision is protective: {why}")
        beside = {str(problem) for problem in _of_the_law(compiled(version.digest, version.pk))}
        problems = check_pack(version.files, today=today())
        if problems := [problem for problem in problems if str(problem) not in beside]:
            return _look_again(version, problems)
    if (newer := newer_edition(now.pack)) is not None:
        return warn(
            f"{now.pack} is in force. {newer.label} comes with this Kinward: "
            f'`kinward policy diff "{now.pack}" {newer.name}` says what it would change.'
        )
    if now.rest is not None:
        return warn(f"{now.pack} is in force for {now.share} percent, {now.rest} for the rest.")
    return fine(f"{now.pack} is in force.")


def check_guardians() -> Result:
    """Does the pack in force ask for a proof of guardians, and is there one for each consent?"""
    from kinward.experience.api import compiled, current_pack
    from kinward.families.api import count_unproven_consents

    now = current_pack()
    asks = compiled(now.pack.digest, now.pack.pk).families.least_proof
    unproven = count_unproven_consents()
    if not asks:
        first = (
            f" First tell Kinward how you know the guardians of {unproven} accounts, whose "
            "consent came without a proof and would no longer count."
        )
        return warn(
            f"{now.pack} asks for no proof of a guardian, so whoever is paired loosens and "
            "consents. Propose a pack with `guardian_proof`." + (first if unproven else "")
        )
    if unproven:
        return warn(
            f"Guardians of {unproven} accounts consented without a proof, which does not count "
            "where the law asks for consent. Tell Kinward how you know them, and ask them again."
        )
    return fine(f"A guardian loosens and consents by the proof {asks!r} or a stronger one.")


def _of_the_law(pack: Pack) -> list[Problem]:
    """Return the notices of a pack that `check_law` is about."""
    from kinward.experience.api import today
    from kinward.policy import reading_problems, unverified_problems

    return [*reading_problems(pack, today()), *unverified_problems(pack)]


def check_law() -> Result:
    """Has somebody read each law of the pack in force within the last three months?"""
    from kinward.experience.api import compiled, current_pack, today
    from kinward.policy import READ_AGAIN_DAYS, stale_readings, unread_laws, unverified

    now = current_pack()
    pack = compiled(now.pack.digest, now.pack.pk)
    if unread := unread_laws(pack):
        return warn(f"{now.pack} does not say when somebody last read {', '.join(unread)}.")
    if stale := stale_readings(pack, today()):
        return warn(
            f"Nobody has read these laws for more than {READ_AGAIN_DAYS} days: "
            f"{', '.join(map(str, stale))}. See /policy/places, and propose a pack that is up to "
            "date."
        )
    if not pack.places:
        return fine(f"{now.pack} contains no law.")
    waiting = unverified(pack)
    hint = f" Not applied until somebody verifies it: {', '.join(waiting)}." if waiting else ""
    return fine(f"Every law that {now.pack} applies was read within {READ_AGAIN_DAYS} days.{hint}")


def _look_again(label: object, problems: list[Problem]) -> Result:
    """Warn about a document in force. It stays in force, but its successor must have no errors."""
    first = min(problems, key=lambda problem: problem.level)  # an error before a notice
    if first.level == "notice":
        return warn(f"{label}: {first}")
    return warn(f"{label} is in force as approved, but today's rules refuse it: {first}")


def check_age_signals() -> Result:
    """Does Kinward know what Apple, Google and wallets answer about ages?"""
    from kinward.ages.api import trusted_issuers
    from kinward.experience.api import today
    from kinward.people.api import unread_signals
    from kinward.policy import SIGNALS_CHECKED, SIGNALS_STALE_DAYS

    told = [_about_issuers(trusted_issuers())]
    unread = groupby(unread_signals(), lambda row: row.source)
    if unknown := [
        f"{source} (adapter as of {SIGNALS_CHECKED[source]}): "
        + ", ".join(row.words for row in rows)
        for source, rows in unread
    ]:
        told.append(
            f"These answers about ages have what Kinward does not know. {'; '.join(unknown)}. "
            "No age was raised. Update Kinward."
        )
    told += [
        f"The adapter of {source} is as of {checked}. Is there a newer Kinward?"
        for source, checked in SIGNALS_CHECKED.items()
        if (today() - checked).days > SIGNALS_STALE_DAYS
    ]
    if any(told):
        return warn(" ".join(filter(None, told)))
    return fine("Every answer about ages was understood.")


def _about_issuers(issuers: "Issuers") -> str:
    """Say what is wrong with the list of trusted issuers, or nothing."""
    from kinward.experience.api import today
    from kinward.policy import SIGNALS_STALE_DAYS

    now = datetime.now(UTC)
    if ended := issuers.ended(now):
        return f"Certificates of KINWARD_AGE_ISSUERS have ended: {'; '.join(ended)}."
    if ending := issuers.ended(now + ENDING):
        return f"Certificates of KINWARD_AGE_ISSUERS end within a month: {'; '.join(ending)}."
    if issuers.until is not None and issuers.until < today() + ENDING:
        return f"KINWARD_AGE_ISSUERS counts until {issuers.until}. Bring it up to date."
    if not issuers.certificates:
        return ""
    if issuers.checked is None:
        return (
            "KINWARD_AGE_ISSUERS does not say when somebody last held it to the official list. "
            "Write `# checked: DAY` into the file."
        )
    if issuers.checked > today() + timedelta(days=1):  # it would put off every reminder
        return (
            f"Nobody can have checked KINWARD_AGE_ISSUERS on {issuers.checked}: today is {today()}."
        )
    if (today() - issuers.checked).days > SIGNALS_STALE_DAYS:
        return (
            f"Somebody last held KINWARD_AGE_ISSUERS to the official list on {issuers.checked}. "
            "Do so again, and write the day into the file."
        )
    return ""


def check_app_store() -> Result:
    """Can what app stores say about consent be verified, and did it reach the right accounts?"""
    from kinward.consents.api import is_configured, require_ready, unapplied_withdrawals

    unapplied = unapplied_withdrawals()
    if is_configured():
        require_ready()
    told = []
    if waiting := unapplied.get("waiting"):
        told.append(
            f"{waiting} of Apple's withdrawals of consent wait for an account that is not linked. "
            "Send each account's app download: PUT /v1/accounts/{account_id}/app-download."
        )
    if unreadable := unapplied.get("unreadable"):
        told.append(
            f"{unreadable} of Apple's withdrawals of consent do not say whose. Update Kinward, and "
            "look into App Store Connect."
        )
    told += _about_changes()
    if told:
        return warn(" ".join(told))
    if not is_configured():
        return fine("No app of the App Store is set up.")
    return fine("Every withdrawal of consent that Apple sent closed its account.")


def _about_changes() -> list[str]:
    """Say what is wrong with the names of what a significant change brings."""
    from kinward.experience.api import brought_by_change, compiled, current_pack
    from kinward.people.api import count_without_change, hears_google

    brings, pack = brought_by_change(), current_pack().pack
    if unknown := sorted(brings - compiled(pack.digest, pack.pk).capabilities.keys()):
        return [
            f"KINWARD_CHANGE_BRINGS names what {pack} does not know: {', '.join(unknown)}. "
            "So everything is closed while a guardian has not agreed to a change of the app."
        ]
    if not brings and (count := count_without_change()):
        return [
            f"Accounts that wait for a guardian's consent to a change of the app: {count}. "
            "Everything is closed for them. KINWARD_CHANGE_BRINGS names what the change brings."
        ]
    if not brings and hears_google():
        return [
            "Google Play tells of your users. Once it asks guardians about a change of your app, "
            "everything is closed for their children. Before you tell Google of a change, name "
            "what it brings in KINWARD_CHANGE_BRINGS."
        ]
    return []


def check_guidelines() -> Result:
    """Do the guidelines in force pass today's checks, and are they fully translated?"""
    from kinward.guidelines import guidelines_notices, untranslated
    from kinward.guidelines.api import (
        guidelines_in_force,
        guidelines_text_in_force,
        newer_guidelines,
    )

    guidelines = guidelines_in_force()
    if errors := [
        problem
        for problem in guidelines_notices(guidelines_text_in_force())
        if problem.level == "error"
    ]:
        return _look_again(guidelines.label, errors)
    if missing := untranslated(guidelines):
        return warn(
            f"{guidelines.label} is not fully translated: {', '.join(missing)}. People read "
            "English instead. See /guidelines."
        )
    if newer := newer_guidelines():
        return warn(
            f"{guidelines.label} is in force, and {newer} comes with this Kinward. "
            "`kinward guidelines show --shipped` prints it. Propose it on /guidelines."
        )
    return fine(f"{guidelines.label} is in force.")


def check_guides() -> Result:
    """Has somebody written or reviewed each guide of the Safety Center within the last year?"""
    from kinward.experience.api import today
    from kinward.portal.api import GUIDE_DAYS, stale_guides

    if stale := stale_guides(today()):
        return warn(
            f"Nobody has read these guides of the Safety Center for more than {GUIDE_DAYS} days: "
            f"{', '.join(stale)}. Update Kinward, or have them read again."
        )
    return fine(f"Every guide of the Safety Center was read within {GUIDE_DAYS} days.")


def check_second_people() -> Result:
    """Is there a second person for everything that takes two?"""
    from kinward.access import TAKES_TWO, Permission
    from kinward.access.api import ALONE, holders

    alone: dict[str, list[Permission]] = {}  # by the one person who has them, or by nobody
    for permission in Permission:
        people = holders(permission)[:2] if permission in TAKES_TWO else ()
        if permission in TAKES_TWO and len(people) < 2:
            alone.setdefault("".join(one.username for one in people), []).append(permission)
    missing, told = alone.pop("", []), []
    if alone:
        hours = int(ALONE.total_seconds() // 3600)
        single = " ".join(f"{name}: {_in_words(powers)}." for name, powers in alone.items())
        told.append(
            f"Only one person can agree to what takes two. {single} It goes ahead {hours} hours "
            "after it was asked for. `kinward staff invite` adds another person."
        )
    if missing:
        what = _in_words(missing)
        told.append(f"Nobody can agree to {what}. `kinward staff invite` adds a person.")
    return warn(" ".join(told)) if told else fine("Everything that takes two people has two.")


def _in_words(powers: "list[Permission]") -> str:
    from kinward.access import TAKES_TWO

    if len(powers) == len(TAKES_TWO):
        return "everything"
    return ", ".join(power.doing[0].lower() + power.doing[1:] for power in powers)


def check_alerts() -> Result:
    """Does an alert about somebody's work wait for another person?"""
    from kinward.review.api import open_alerts

    alerts = list(open_alerts())
    if not alerts:
        return fine("No alert about anybody's work waits.")
    first = alerts[0]
    return warn(
        f"{len(alerts)} alerts about the work of the staff wait, the oldest since "
        f"{first.opened_at:%Y-%m-%d}. Another senior reviewer looks into them on /quality."
    )


def check_glass() -> Result:
    """Has another person reviewed everything that an operator did alone?"""
    from kinward.access.api import can_be_reviewed, unreviewed_glasses

    glasses = list(unreviewed_glasses()[:5])
    if glasses:
        waiting = ", ".join(f"{glass.request} by {glass.operator}" for glass in glasses)
        who = "A senior reviewer or an auditor reviews it on /quality."
        if not all(can_be_reviewed(glass) for glass in glasses):
            who = "Nobody here may, so let an administrator invite an auditor whom they trust."
        return warn(f"An operator broke the glass, and nobody has reviewed it: {waiting}. {who}")
    return fine("Nothing that an operator did alone waits for a review.")
