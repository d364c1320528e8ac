"""Why a case exists, in words for a reviewer."""

import msgspec

from kinward.casebook.api import Case
from kinward.matching.api import kind_of


class Ground(msgspec.Struct, frozen=True):
    """One reason, in words for a reviewer."""

    text: str
    verified: bool


def grounds_of_case(case: Case) -> list[Ground]:
    """Why the case exists, in words, each reason once."""
    found: dict[str, Ground] = {}
    for finding in case.findings.select_related("check_made").order_by("created_at"):
        words = [_in_words(match) for match in finding.grounds]
        if finding.given_back and finding.check_made is not None:
            content = finding.check_made.content_id
            text = f"A person gave {content}, or a copy, back before: see the other cases."
            words.append(Ground(f"{text} The account was left as it stood.", verified=False))
        found |= {ground.text: ground for ground in words}
    return list(found.values())


def describe_files(case: Case) -> dict[str, list[Ground]]:
    """What each file of a case matched, in words, by its content: told instead of shown."""
    found: dict[str, list[Ground]] = {}
    for finding in case.findings.select_related("check_made"):
        if finding.check_made is not None:
            words = [_in_words(match) for match in finding.grounds]
            found.setdefault(finding.check_made.content_id, []).extend(words)
    return found


def _in_words(match: dict[str, object]) -> Ground:
    if match["kind"] == "user report":
        said = f" They wrote: {match['text']}" if match["text"] else ""
        about = f" Content {match['content_id']}." if match["content_id"] else ""
        return Ground(f"A person reported: {match['title']}.{about}{said}", verified=False)
    bank = f"the {match['confidence']} bank “{match['bank']}”"
    text = kind_of(str(match["kind"])).in_words(bank, int(str(match["distance"])))
    if match.get("label"):
        text += f" The list calls it {match['label']}."
    return Ground(text, match["confidence"] == "verified")
