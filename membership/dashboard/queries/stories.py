"""Stories that members chose."""

from collections.abc import Sequence

from sqlalchemy import select

from membership.db import db
from membership.topics.models import Topic
from membership.topics.rules import Stage


def addresses_of_chosen() -> Sequence[str]:
    """Where the published stories stand whose topics a poll chose."""
    published = select(Topic.story_url).where(Topic.stage == Stage.PUBLISHED.value, Topic.chosen_at.is_not(None))
    return [address for address in db.session.scalars(published) if address]
