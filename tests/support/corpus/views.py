"""What Kinward sees of a file."""

from kinward.ground.errors import KinwardError
from kinward.media import decoders, split_frames


def view_hashes(data: bytes) -> list[bytes]:
    """Return each hash by which Kinward looks a file up; none if it refuses the file.

    The hashes of a picture turned and mirrored are among them where they are exact: lists have
    pictures as they are stored, too.
    """
    try:
        hashed = decoders().hash(data)
    except KinwardError:
        return []
    return [way for view in hashed.views for way in split_frames(view.hash + view.turned)]
