"""A simulation as a bar chart: the settings lost and gained by each group of ages."""

from html import escape
from typing import Final

from kinward.policy.simulate import Simulation

WIDTH: Final = 640
LABEL: Final = 110
ROW: Final = 44
BAR: Final = 15
KINDS: Final = (("loses", "#a3262a"), ("gains", "#2b6a3a"), ("changes", "#8a5a00"))
BLOCKS: Final = 40  # characters of the longest bar in a terminal


def svg(simulation: Simulation) -> str:
    """Return the chart as an SVG element, with a title and a description for screen readers."""
    groups = simulation.by_group()
    most = max((count for counts in groups.values() for count in counts.values()), default=1)
    kinds = [kind for kind in KINDS if any(counts[kind[0]] for counts in groups.values())]
    height = len(groups) * ROW + 34
    title = escape(f"{simulation.before} to {simulation.after}")
    description = "; ".join(
        f"{group}: " + ", ".join(f"{kind} {count:,}" for kind, count in counts.items() if count)
        for group, counts in groups.items()
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'class="bars" font-family="system-ui, sans-serif" font-size="13">',
        f"<title>Settings lost and gained, {title}</title>",
        f"<desc>{escape(description) or 'nothing changes'}</desc>",
    ]
    for number, (kind, colour) in enumerate(kinds):
        at = LABEL + number * 100
        parts.append(
            f'<rect x="{at}" y="4" width="12" height="12" fill="{colour}" class="{kind}"/>'
            f'<text x="{at + 18}" y="15" fill="currentColor">{kind}</text>'
        )
    for row, (group, counts) in enumerate(groups.items()):
        top = 28 + row * ROW
        parts.append(f'<text x="0" y="{top + BAR + 2}" fill="currentColor">{escape(group)}</text>')
        for number, (kind, colour) in enumerate(kinds):
            count = counts[kind]
            bar = BAR * 2 / len(kinds)
            width = max(1.0, count / most * (WIDTH - LABEL - 100)) if count else 0
            start = top + number * bar
            if count:
                parts.append(
                    f'<rect x="{LABEL}" y="{start:.1f}" width="{width:.1f}" '
                    f'height="{bar - 2:.1f}" fill="{colour}" class="{kind}"/>'
                    f'<text x="{LABEL + width + 6:.1f}" y="{start + bar - 4:.1f}" '
                    f'fill="currentColor">{count:,}</text>'
                )
    return "".join(parts) + "</svg>"


def bars(simulation: Simulation) -> str:
    """Return the chart as text for a terminal."""
    groups = simulation.by_group()
    most = max((count for counts in groups.values() for count in counts.values()), default=1)
    lines = []
    for group, counts in groups.items():
        for kind, _ in KINDS:
            if count := counts[kind]:
                bar = "█" * max(1, round(count / most * BLOCKS))
                lines.append(f"  {group:<12} {kind:<8} {bar} {count:,}")
    return "\n".join(lines)
