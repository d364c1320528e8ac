"""The check of the decoders: which walls stand around a process that reads strangers' bytes."""

from kinward.cli.doctor.result import Result, fine, warn
from kinward.ground.config import config


def too_few_decoders() -> str:
    """Return what is wrong with `KINWARD_DECODERS`, or nothing."""
    from kinward.media import LEAST_DECODERS

    count = config().decoders
    if count >= LEAST_DECODERS:
        return ""
    return (
        f"KINWARD_DECODERS is {count}, and Kinward runs {LEAST_DECODERS}: with one decoder a film "
        f"would hold up every picture. Set it to {LEAST_DECODERS} or more."
    )


def check_decoders() -> Result:
    """Does a decoder start, and do all its walls stand?"""
    from kinward.media import WALLS, decoders

    pool = decoders()
    try:
        walls = pool.walls()
    finally:
        pool.close()
    standing = f"A decoder stands within: {', '.join(walls.standing)}."
    if walls.missing:
        reasons = "; ".join(f"{name} ({why})" for name, why in walls.missing.items())
        return warn(f"A decoder lacks walls: {reasons}. {standing} Do not run this in production.")
    if few := too_few_decoders():
        return warn(f"{few} {standing}")
    if left_out := [name for name in WALLS if name not in walls.standing]:
        return warn(
            f"KINWARD_DECODERS_WITHOUT_WALLS={config().decoders_without_walls} leaves out "
            f"{', '.join(left_out)}. {standing}"
        )
    return fine(standing)
