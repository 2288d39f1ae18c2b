"""Tables of the plumbing: the counters behind the limits, shared by all processes."""

from sqlalchemy import JSON, BigInteger, Float, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from membership.db import Model


class RateCounter(Model):
    """One limit for one caller. Rows change with every hit and are deleted once nothing in them counts."""

    __tablename__ = "rate_counters"
    __table_args__ = (Index("ix_rate_counters_expires_at", "expires_at"),)

    # The limit in words and an HMAC of whom it counts: no address of anybody is kept.
    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    # Hits in the present window (fixed windows only).
    n_hits: Mapped[int] = mapped_column(BigInteger, default=0)
    # Unix times of the hits that still count, oldest first, at most as many as the limit (moving windows only).
    hits: Mapped[list[float]] = mapped_column(JSON, default=list)
    # Unix time after which the row says nothing any more.
    expires_at: Mapped[float] = mapped_column(Float)
