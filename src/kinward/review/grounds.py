"""Why a case exists, in words for a reviewer."""

from kinward.casebook.api import Case, Ground, finding_kind


def grounds_of_case(case: Case) -> list[Ground]:
    """Return why the case exists, in words, each reason once, oldest first."""
    grounds: dict[str, Ground] = {}
    for finding in case.findings.order_by("created_at"):
        reasons = finding_kind(finding.kind).in_words(finding)
        if finding.given_back:
            text = (
                f"A person gave {finding.content_id}, or a copy, back before: see the other cases."
            )
            reasons.append(Ground(f"{text} The account was left as it stood.", verified=False))
        grounds |= {ground.text: ground for ground in reasons}
    return list(grounds.values())


def describe_files(case: Case) -> dict[str, list[Ground]]:
    """Return what each file of a case matched, in words, by its content id.

    A reviewer may choose to read these words instead of looking at the file.
    """
    words: dict[str, list[Ground]] = {}
    for finding in case.findings.all():
        kind = finding_kind(finding.kind)
        if kind.of_file:
            words.setdefault(finding.content_id, []).extend(kind.in_words(finding))
    return words
