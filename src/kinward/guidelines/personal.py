"""What `guidelines` holds of a person: nothing."""

from kinward.ground.personal import holds_nobody
from kinward.guidelines.models import Edition, Pinned

holds_nobody("texts of the guidelines, and who of the staff changed them", Edition, Pinned)
