"""From an upload to the feed: a post waits until Kinward answers that it is clear."""

import threading
import time

from django.db import close_old_connections, transaction

from kinward.demo import safety
from kinward.demo.models import Post


def check(post: Post) -> None:
    """Ask Kinward about a pending post, and publish or hold it. Raises `NotNow` and `Refused`.

    Without an answer the post stays pending. A decision that a webhook made meanwhile stands.
    """
    outcome = safety.check_picture(
        account_id=post.member.account_id,
        content_id=str(post.id),
        filename=post.filename,
        data=bytes(post.picture),
        uploaded_at=post.posted_at,
        address=post.address,
    )
    state = "published" if outcome == "clear" else "held"
    Post.objects.filter(pk=post.pk, state="pending").update(state=state)


def check_again() -> None:
    """Ask Kinward again about every pending post. Delete a post that Kinward cannot check."""
    waiting = Post.objects.filter(state="pending").values_list("pk", flat=True)
    for pk in list(waiting):
        with transaction.atomic():
            post = Post.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
            if post is None or post.state != "pending":
                continue
            try:
                check(post)
            except safety.NotNow:
                return
            except safety.Refused:
                post.delete()


def keep_checking(pause: float = 2.0) -> None:
    """Start a thread that checks pending posts again every few seconds."""

    def run() -> None:
        while True:
            time.sleep(pause)
            try:
                check_again()
            except (
                Exception
            ) as error:  # the database may be restarting, so try again in the next round
                print(f"check_again: {error}", flush=True)
            finally:
                close_old_connections()

    threading.Thread(target=run, daemon=True, name="keep-checking").start()
