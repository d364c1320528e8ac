"""What Kinward sees of a file."""

from kinward.ground.errors import KinwardError
from kinward.media import decoders, split_frames


def view_hashes(data: bytes) -> list[bytes]:
    """Return the hash of each of Kinward's views of a file; none if it refuses the file."""
    try:
        hashed = decoders().hash(data)
    except KinwardError:
        return []
    views = getattr(hashed, "views", None)
    if views is not None:
        return [bytes(view.hash) for view in views]
    return split_frames(hashed.signature)
