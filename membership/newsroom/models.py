"""The table of settings that staff edit."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from membership.db import Model, append_only


@append_only
class SettingsVersion(Model):
    """One row is one setting as somebody saved it, whole; never changed. The highest number of a subject counts.

    Before the first row of a subject, and in a row without values, what the environment says counts.
    """

    __tablename__ = "settings_versions"
    __table_args__ = (
        UniqueConstraint("subject", "number"),
        CheckConstraint("number > 0", name="number_positive"),
        CheckConstraint("back_to IS NULL OR back_to >= 0", name="back_to_a_number"),
        CheckConstraint(
            "subject IN ('prices', 'goal', 'ways', 'names', 'languages', 'colours', 'late')", name="known_subject"
        ),
    )

    # Over all subjects: the highest id tells web and worker whether anything has changed at all.
    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(12), doc="A `rules.subjects.Subject`")
    number: Mapped[int] = mapped_column(doc="1 for the first of its subject, without gaps")
    values: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True), doc="As `to_json` of the subject's values; NULL: the environment counts"
    )
    before: Mapped[dict[str, Any]] = mapped_column(JSON, doc="What counted until then, in the same form")
    saved_at: Mapped[datetime] = mapped_column(doc="Business time")
    actor: Mapped[str] = mapped_column(String(60), doc="staff:<public id>")
    back_to: Mapped[int | None] = mapped_column(
        doc="The number of the version that it went back to; 0: the environment"
    )
