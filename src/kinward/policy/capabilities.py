"""Capabilities: what a person can do or see, with the kind of value and the counterpart of each."""

from typing import Final

import msgspec

from kinward.policy.values import AUDIENCE, HOURS, MINUTES, PERMISSION, ValueKind, level


class Capability(msgspec.Struct, frozen=True):
    """One thing that a person can do or see.

    `counterpart` is the same contact from the other side: `dm.send` needs the other person's
    `dm.receive`. Blocking ends a capability that is `between_people`. `is_contact` makes a pack's
    own capability one of those, if Kinward has since introduced its name for contact.
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
    capability.name: capability
    for capability in (
        Capability("account.join", PERMISSION),
        Capability("profile.private", level(("private", "public"))),
        Capability("profile.discoverable", PERMISSION),
        Capability("profile.suggested", PERMISSION),
        *_pair("dm.send", "dm.receive", AUDIENCE),
        Capability("dm.media", PERMISSION),
        Capability("dm.receipts", PERMISSION),
        Capability("group.join", AUDIENCE),
        *_pair("comment.send", "comment.receive", AUDIENCE),
        Capability("mention.receive", AUDIENCE),
        Capability("follow.receive", level(("approved", "open"))),
        Capability("live.host", PERMISSION),
        Capability("live.watch", PERMISSION),
        Capability("live.comment", AUDIENCE),
        Capability("live.react", AUDIENCE),
        Capability("live.record", PERMISSION),
        *_pair("live.gift.send", "live.gift.receive", PERMISSION),
        Capability("content.audience", AUDIENCE),
        Capability("content.download", PERMISSION),
        Capability("content.screenshot", PERMISSION),
        Capability("content.remix", AUDIENCE),
        Capability("content.mature", level(("off", "mild", "full"))),
        Capability("feed.personalised", PERMISSION),
        Capability("feed.autoplay", PERMISSION),
        Capability("feed.endless", PERMISSION),
        Capability("feed.reset", PERMISSION),
        Capability("feed.topics", PERMISSION),
        Capability("engagement.streaks", PERMISSION),
        Capability("engagement.counts", PERMISSION),
        Capability("assistant.chat", PERMISSION),
        Capability("assistant.character", PERMISSION),
        Capability("search.use", level(("off", "filtered", "full"))),
        Capability("search.autocomplete", PERMISSION),
        Capability("notify.push", HOURS),
        Capability("session.time", MINUTES),
        Capability("session.hours", HOURS),
        Capability("session.break", level(("15 minutes", "30 minutes", "60 minutes", "off"))),
        Capability("purchase.make", PERMISSION),
        Capability("purchase.chance", PERMISSION),
        Capability("ads.personalised", PERMISSION),
        Capability("location.share", AUDIENCE),
    )
}

# The relationship of two people. A `follower` who makes contact follows the person contacted.
RELATIONSHIPS: Final = ("family", "mutual", "follower", "group", "stranger", "blocked")
# The smallest audience of each relationship. A blocked person belongs to none.
AUDIENCE_OF: Final = {
    "family": AUDIENCE.code("family"),
    "mutual": AUDIENCE.code("mutuals"),
    "follower": AUDIENCE.code("followers"),
    "group": AUDIENCE.code("groups"),
    "stranger": AUDIENCE.code("everyone"),
    "blocked": AUDIENCE.open_code + 1,
}
