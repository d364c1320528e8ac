"""The community's own tables: members, posts, notices, and Kinward's actions that were done."""

import uuid

from django.db import models


class Member(models.Model):
    """A member. The demo has no passwords and no real people."""

    STANDINGS = [(name, name) for name in ("active", "suspended", "closed")]

    handle = models.CharField(max_length=40, unique=True)
    age = models.PositiveSmallIntegerField()
    standing = models.CharField(max_length=10, choices=STANDINGS, default="active")
    joined_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.handle

    @property
    def account_id(self) -> str:
        """The member's account id in Kinward. Any stable id will do."""
        return f"member-{self.pk}"


class Post(models.Model):
    """A picture. Others see it only in the state `published`."""

    STATES = [(name, name) for name in ("pending", "published", "held", "removed")]

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="posts")
    caption = models.CharField(max_length=200, blank=True)
    filename = models.CharField(max_length=200)
    media_type = models.CharField(max_length=40)
    picture = models.BinaryField()
    address = models.GenericIPAddressField(null=True)
    state = models.CharField(max_length=10, choices=STATES, default="pending")
    posted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-posted_at",)

    def __str__(self) -> str:
        return str(self.id)


class CarriedOut(models.Model):
    """An action that was carried out. Its id is unique, so that it has one effect."""

    action_id = models.UUIDField(primary_key=True)
    target = models.CharField(max_length=220, db_index=True)
    number = models.BigIntegerField()
    effect = models.CharField(max_length=20)
    applied = models.BooleanField()
    at = models.DateTimeField(auto_now_add=True)


class Notice(models.Model):
    """A text that Kinward asked the community to tell a member, and links that answer it."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="notices")
    text = models.TextField()
    answers = models.JSONField(default=list)  # {"answer", "url"} of each button that is left
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-at",)

    def __str__(self) -> str:
        return self.text
