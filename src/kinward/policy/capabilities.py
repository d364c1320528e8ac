"""What a person can do or be shown: each capability's kind of value and its other side."""

from typing import Final

import msgspec

from kinward.policy.values import AUDIENCE, HOURS, MINUTES, PERMISSION, ValueKind, level


class Capability(msgspec.Struct, frozen=True):
    """One thing that a person can do or be shown.

    `counterpart` is the same contact seen from the other side: `dm.send` needs the other person's
    `dm.receive`. `between_people` says that blocking ends it. `is_contact` says so of a pack's own
    capability, when Kinward has come to know its name as contact between people.
    """

    name: str
    kind: ValueKind
    counterpart: str = ""
    is_contact: bool = False

    @property
    def between_people(self) -> bool:
        return bool(self.counterpart) or self.kind is AUDIENCE or self.is_contact


def _pair(sent: str, received: str, kind: ValueKind) -> tuple[Capability, Capability]:
    return Capability(sent, kind, received), Capability(received, kind, sent)


CAPABILITIES: Final[dict[str, Capability]] = {
    each.name: each
    for each in (
        Capability("account.join", PERMISSION),
        Capability("profile.private", level(("private", "public"))),
        Capability("profile.discoverable", PERMISSION),
        Capability("profile.suggested", PERMISSION),
        *_pair("dm.send", "dm.receive", AUDIENCE),
        Capability("dm.media", PERMISSION),
        Capability("group.join", AUDIENCE),
        *_pair("comment.send", "comment.receive", AUDIENCE),
        Capability("mention.receive", AUDIENCE),
        Capability("follow.receive", level(("approved", "open"))),
        Capability("live.host", PERMISSION),
        Capability("live.watch", PERMISSION),
        *_pair("live.gift.send", "live.gift.receive", PERMISSION),
        Capability("content.audience", AUDIENCE),
        Capability("content.download", PERMISSION),
        Capability("content.remix", AUDIENCE),
        Capability("content.mature", level(("off", "mild", "full"))),
        Capability("feed.personalised", PERMISSION),
        Capability("feed.autoplay", PERMISSION),
        Capability("search.use", level(("off", "filtered", "full"))),
        Capability("search.autocomplete", PERMISSION),
        Capability("notify.push", HOURS),
        Capability("session.time", MINUTES),
        Capability("session.hours", HOURS),
        Capability("session.break", level(("15 minutes", "30 minutes", "60 minutes", "off"))),
        Capability("purchase.make", PERMISSION),
        Capability("ads.personalised", PERMISSION),
        Capability("location.share", AUDIENCE),
    )
}

# What two people are to each other. `follower`: the one who reaches out follows the one reached.
RELATIONSHIPS: Final = ("family", "mutual", "follower", "group", "stranger", "blocked")
# The smallest audience that each belongs to; who is blocked belongs to none.
AUDIENCE_OF: Final = {
    "family": AUDIENCE.code("family"),
    "mutual": AUDIENCE.code("mutuals"),
    "follower": AUDIENCE.code("followers"),
    "group": AUDIENCE.code("groups"),
    "stranger": AUDIENCE.code("everyone"),
    "blocked": AUDIENCE.open_code + 1,
}
