"""Errors of families. Each docstring is the sentence that the person reads, and is translated."""

from kinward.ground.errors import KinwardError


class PortalLinkRefused(KinwardError):
    """This link was already used or has expired. Go back to the app and open the page again."""

    code = "portal.link_refused"
    status = 403


class PortalOtherAccount(KinwardError):
    """Another person's pages are open in this browser. Close them, then open the link again."""

    code = "portal.other_account"
    status = 409


class PortalClosed(KinwardError):
    """Your session has ended. Go back to the app and open this page again."""

    code = "portal.closed"
    status = 401


class CodeRefused(KinwardError):
    """This code was mistyped, has been used, or is more than a day old. Ask for a new one."""

    code = "pairing.code_refused"
    status = 422


class TooManyTries(KinwardError):
    """Too many attempts. Wait an hour, then try again."""

    code = "pairing.too_many_tries"
    status = 429


class NotAGuardian(KinwardError):
    """Only an adult can do this, and we cannot be sure that this account belongs to one."""

    code = "pairing.not_an_adult"
    status = 403


class NeedsNoGuardian(KinwardError):
    """This account's holder is too old to have a guardian."""

    code = "pairing.too_old"
    status = 403


class PairingLoop(KinwardError):
    """Someone with a guardian cannot be a guardian, and a guardian cannot have one."""

    code = "pairing.loop"
    status = 409


class AlreadyPaired(KinwardError):
    """You two are already paired."""

    code = "pairing.already"
    status = 409


class FamilyFull(KinwardError):
    """No more people can be added to this family."""

    code = "pairing.full"
    status = 409


class NotPaired(KinwardError):
    """These accounts are not paired."""

    code = "pairing.none"
    status = 403


class NoGuardian(KinwardError):
    """There is no guardian to answer this."""

    code = "ask.no_guardian"
    status = 409


class PairingPaused(KinwardError):
    """This pairing is paused while a person reviews it."""

    code = "pairing.paused"
    status = 403


class PairingNeedsPerson(KinwardError):
    """An earlier pairing of you two was disputed. You can pair again after a person has agreed."""

    code = "pairing.needs_person"
    status = 403


class SettingLocked(KinwardError):
    """The rules do not allow this setting to go that far."""

    code = "setting.locked"
    status = 403


class GuardianUnproven(KinwardError):
    """First show in the app that you are this teen's guardian. Until then you can only limit."""

    code = "guardian.unproven"
    status = 403


class ProofWeaker(KinwardError):
    """A stronger proof of this guardian is known. To replace it all the same, name it."""

    code = "guardian.proof_weaker"
    status = 409


class GuardianCooling(KinwardError):
    """For now you cannot make time or contact stricter alone. Suggest it, and your teen decides."""

    code = "guardian.cooling"
    status = 409


class AskClosed(KinwardError):
    """This has already been answered or withdrawn, or it has expired."""

    code = "ask.closed"
    status = 409


class TapRefused(KinwardError):
    """This link was already used or has expired, or it is not ours. Open the app to answer."""

    code = "ask.link_refused"
    status = 403


class PasscodeRefused(KinwardError):
    """This pass-code is not valid today or has already been used."""

    code = "passcode.refused"
    status = 422
