"""The groups of settings on the family page, the meaning of each setting, and its options."""

from typing import Final

import msgspec
from django.utils.translation import gettext_noop

from kinward.policy import HOURS, MINUTES, Value, ValueKind, clock

SETTING_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "time": ("session.time", "session.break", "session.hours", "notify.push"),
    "people": (
        *("dm.receive", "dm.send", "dm.media", "dm.receipts", "group.join"),
        *("comment.receive", "comment.send"),
        *("mention.receive", "follow.receive", "profile.discoverable", "profile.suggested"),
    ),
    "content": (
        *("content.mature", "feed.personalised", "feed.autoplay", "feed.endless"),
        *("engagement.counts", "engagement.streaks", "assistant.chat", "assistant.character"),
    ),
    "search": ("search.use", "search.autocomplete"),
    "live": ("live.host", "live.watch", "live.comment", "live.react", "live.record"),
    "privacy": (
        *("profile.private", "content.audience", "content.download", "content.screenshot"),
        *("content.remix", "location.share", "ads.personalised"),
    ),
    "spending": ("purchase.make", "purchase.chance", "live.gift.send", "live.gift.receive"),
}
GROUP_NAMES: Final = {
    "time": gettext_noop("Time"),
    "people": gettext_noop("People"),
    "content": gettext_noop("Content"),
    "search": gettext_noop("Search"),
    "live": gettext_noop("Live"),
    "privacy": gettext_noop("Privacy"),
    "spending": gettext_noop("Spending"),
    "more": gettext_noop("More"),
}
# What a setting means in daily life, for the reader of the page.
SETTING_MEANINGS: Final = {
    "session.time": gettext_noop("When the minutes are used up, the app closes until tomorrow."),
    "session.break": gettext_noop("The app suggests a break after this much time in one go."),
    "session.hours": gettext_noop(
        "Outside these hours the app is closed, so that sleep comes first."
    ),
    "notify.push": gettext_noop("Outside these hours the phone stays quiet."),
    "dm.receive": gettext_noop("Who can send private messages to this account."),
    "dm.send": gettext_noop("Who this account can send private messages to."),
    "dm.media": gettext_noop("Whether private messages can include pictures and videos."),
    "dm.receipts": gettext_noop("Whether others see that this person has read their messages."),
    "group.join": gettext_noop("Who can add this account to a group."),
    "comment.receive": gettext_noop("Who can comment on this account's posts."),
    "comment.send": gettext_noop("Whose posts this account can comment on."),
    "mention.receive": gettext_noop("Who can mention this account in a post."),
    "follow.receive": gettext_noop("Whether new followers have to be approved first."),
    "profile.discoverable": gettext_noop("Whether others can find this account by searching."),
    "profile.suggested": gettext_noop("Whether the app suggests this account to others."),
    "content.mature": gettext_noop("How much content for older audiences is shown."),
    "feed.personalised": gettext_noop("Whether the feed is based on what was watched before."),
    "feed.autoplay": gettext_noop("Whether the next video starts automatically."),
    "feed.endless": gettext_noop("Whether the feed goes on without an end."),
    "engagement.counts": gettext_noop("Whether numbers of likes and views are shown."),
    "engagement.streaks": gettext_noop("Whether the app rewards coming back every day."),
    "assistant.chat": gettext_noop("Whether this account can chat with an AI assistant."),
    "assistant.character": gettext_noop(
        "Whether this account can chat with AI characters that behave like a friend."
    ),
    "search.use": gettext_noop(
        "Whether search is available, and whether it leaves out content for older audiences."
    ),
    "search.autocomplete": gettext_noop("Whether search suggests words while typing."),
    "live.host": gettext_noop("Whether this account can go live."),
    "live.watch": gettext_noop("Whether this account can watch live streams."),
    "live.comment": gettext_noop("Who can comment on this account's live streams."),
    "live.react": gettext_noop("Who can send reactions to this account's live streams."),
    "live.record": gettext_noop("Whether others can record this account's live streams."),
    "profile.private": gettext_noop("Whether only approved followers see this profile."),
    "content.audience": gettext_noop("Who can see this account's posts."),
    "content.download": gettext_noop("Whether others can save this account's posts."),
    "content.screenshot": gettext_noop(
        "Whether others can take screenshots of this account's posts."
    ),
    "content.remix": gettext_noop("Who can use this account's posts in their own."),
    "location.share": gettext_noop("Who can see this person's location."),
    "ads.personalised": gettext_noop("Whether ads are based on a profile of this person."),
    "purchase.make": gettext_noop("Whether this account can spend money."),
    "purchase.chance": gettext_noop(
        "Whether this account can buy loot boxes, whose contents are a surprise."
    ),
    "live.gift.send": gettext_noop("Whether this account can send paid gifts."),
    "live.gift.receive": gettext_noop("Whether this account can receive paid gifts."),
}
JOIN: Final = "account.join"
# What is no choice: consent to the account itself (see `pairing.joining`), and what a person may
# always do with their own feed.
NOT_SETTINGS: Final = (JOIN, "feed.reset", "feed.topics")
STEPS: Final = (0, 15, 30, 40, 60, 75, 90, 120, 150, 180, 240, 300, 360, 480)  # minutes a day


class Option(msgspec.Struct, frozen=True):
    """A value that may be chosen, its code, and whether it is looser than the current one."""

    value: Value
    code: int
    looser: bool


def group_of_setting(capability: str) -> str:
    """Return the group of a capability: `more` for a capability that only a pack defines."""
    return next((name for name, group in SETTING_GROUPS.items() if capability in group), "more")


def settings_by_group(capabilities: list[str]) -> list[tuple[str, list[str]]]:
    """Sort capabilities into groups, in the order of the page. What cannot be set is left out."""
    groups = []
    for name in (*SETTING_GROUPS, "more"):
        known = [setting for setting in SETTING_GROUPS.get(name, ()) if setting in capabilities]
        own = [
            capability
            for capability in capabilities
            if group_of_setting(capability) == name and capability not in known
        ]
        settings = [setting for setting in (*known, *own) if setting not in NOT_SETTINGS]
        if settings:
            groups.append((name, settings))
    return groups


def options(kind: ValueKind, floor: int, cap: int, now: int) -> list[Option]:
    """Return the values between two codes, most protective first; none for hours, which are typed.

    Minutes come in steps, which include both bounds and the current value.
    """
    if kind is HOURS:
        return []
    codes = (
        sorted({floor, cap, now, *(step for step in STEPS if floor <= step <= cap)})
        if kind is MINUTES
        else range(floor, cap + 1)
    )
    return [Option(kind.value(code), code, code > now) for code in codes]


def half_hours() -> list[str]:
    """Return every half hour of a day, from 00:00 to 24:00."""
    return [clock(slot) for slot in range(49)]
