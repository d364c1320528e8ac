"""Errors of families. Each docstring is the sentence that the person reads, and is translated."""

from kinward.ground.errors import KinwardError


class PortalLinkRefused(KinwardError):
    """This link was used before or is too old. Go back to the app and open it again."""

    code = "portal.link_refused"
    status = 403


class PortalOtherAccount(KinwardError):
    """Another account is visiting in this browser. End that visit first, then open the link."""

    code = "portal.other_account"
    status = 409


class PortalClosed(KinwardError):
    """Your visit has ended. Go back to the app and open this page again."""

    code = "portal.closed"
    status = 401


class CodeRefused(KinwardError):
    """This code is not valid: it is mistyped, used or older than a day. Ask for a new one."""

    code = "pairing.code_refused"
    status = 422


class TooManyTries(KinwardError):
    """That was tried too often. Wait an hour, then try again."""

    code = "pairing.too_many_tries"
    status = 429


class NotAGuardian(KinwardError):
    """Only an adult can do this, and we are not sure enough that this account is one."""

    code = "pairing.not_an_adult"
    status = 403


class NeedsNoGuardian(KinwardError):
    """This account is too old to have a guardian."""

    code = "pairing.too_old"
    status = 403


class PairingLoop(KinwardError):
    """Who has a guardian cannot be one, and who is a guardian cannot have one."""

    code = "pairing.loop"
    status = 409


class AlreadyPaired(KinwardError):
    """You two are linked already."""

    code = "pairing.already"
    status = 409


class FamilyFull(KinwardError):
    """There is no room for another person in this family."""

    code = "pairing.full"
    status = 409


class NotPaired(KinwardError):
    """There is no pairing between these accounts."""

    code = "pairing.none"
    status = 403


class NoGuardian(KinwardError):
    """There is no guardian who could answer."""

    code = "ask.no_guardian"
    status = 409


class PairingPaused(KinwardError):
    """This pairing is paused while a person looks at it."""

    code = "pairing.paused"
    status = 403


class SettingLocked(KinwardError):
    """The rules do not let you move this setting that far."""

    code = "setting.locked"
    status = 403


class AskClosed(KinwardError):
    """This was answered, taken back or has lapsed."""

    code = "ask.closed"
    status = 409


class PasscodeRefused(KinwardError):
    """This pass-code is not valid today, or was used."""

    code = "passcode.refused"
    status = 422
