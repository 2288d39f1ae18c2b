"""Tables of polls: the poll and its options, the frozen roll, sealed ballots and their chain, what was counted.

No table holds the time of a vote. Until the close the choice stands sealed under the poll's key, which lies in
a file outside the database and dies at the close (decisions 17-21, ADR 0009).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from membership.db import Model, append_only


class Poll(Model):
    """One row is one poll. A draft may change in everything; from the opening on what it is cannot change any more,
    only what becomes of it: triggers refuse (`guards`). Moments are business time.
    """

    __tablename__ = "polls"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'open', 'closed', 'cancelled')", name="known_state"),
        CheckConstraint("n_seats BETWEEN 1 AND 30", name="few_seats"),
        CheckConstraint("max_ranks BETWEEN 3 AND 10", name="few_ranks"),
        CheckConstraint("closes_at > opens_at", name="open_for_a_while"),
        CheckConstraint("(rule = 'equal-shares') = (budget_hours IS NOT NULL)", name="hours_where_shared"),
        CheckConstraint("publish_from IS NULL OR publish_from >= 5", name="published_from_five"),
        Index(None, "state", "closes_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # The name in addresses: `/polls/<public_id>`.
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(120))
    intro: Mapped[str] = mapped_column(String(1500))
    # The language that title and text are written in.
    locale: Mapped[str] = mapped_column(String(2))
    # A slug of `counting.RULES`; it also says how the ballot looks (rules.ballot_kind). No constraint lists the slugs:
    # a new rule is one file, and `rules.drafts` refuses what is none.
    rule: Mapped[str] = mapped_column(String(40))
    n_seats: Mapped[int]
    # How many places a ranked ballot may name.
    max_ranks: Mapped[int] = mapped_column(default=5)
    # Hours to share out, for equal-shares only.
    budget_hours: Mapped[int | None]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    # "paid": whose coverage is paid or was given as a paid gift. "covered": comps as well.
    eligibility: Mapped[str] = mapped_column(String(8), default="paid")
    # Only who became a patron before this is on the roll.
    joined_before: Mapped[datetime]
    # Ballots are published if at least so many voted; NULL: never. Printed on the ballot.
    publish_from: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(9), default="draft")
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    opened_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    # When the close was done, at `closes_at` or a little later.
    closed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    # None: by the clock.
    cancelled_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    # Said in public.
    cancel_reason: Mapped[str | None] = mapped_column(String(500))
    # Drawn and published at opening: 64 hex characters, from which the lot order follows (rules.lot_order).
    lot_seed: Mapped[str | None] = mapped_column(String(64))
    # From which each voter's order of options follows (rules.shown_order); drawn at opening.
    order_seed: Mapped[str | None] = mapped_column(String(64))
    # How many are on the roll; written at opening.
    n_roll: Mapped[int | None]
    # SHA-256 over the roll as it was frozen (`services.opening`): nobody can be added to it or taken off unseen.
    roll_digest: Mapped[str | None] = mapped_column(String(64))
    # Why the poll cannot go on, until staff cancel it: a word of `services.closing.Trouble`. Said in public.
    trouble: Mapped[str | None] = mapped_column(String(20))
    # When nothing that could join voter and choice was left in files and logs; NULL until then.
    wiped_at: Mapped[datetime | None]


class PollOption(Model):
    """One row is one topic on one ballot, with its text as it stood at the opening. Guarded as its poll is."""

    __tablename__ = "poll_options"
    __table_args__ = (
        UniqueConstraint("poll_id", "topic_id"),
        UniqueConstraint("poll_id", "position"),
        CheckConstraint("position >= 0", name="position_from_zero"),
        CheckConstraint("hours > 0", name="hours_positive"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    poll_id: Mapped[int] = mapped_column(ForeignKey("polls.id"))
    topic_id: Mapped[int] = mapped_column(ForeignKey("topics.id"), index=True)
    # From 0: the number under which choices name this option.
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(120))
    why: Mapped[str] = mapped_column(String(1500))
    hours: Mapped[int | None]


class RollEntry(Model):
    """One row is one person who may vote in one poll, written at its opening. `has_voted` (once, without a time) and
    `wants_news` change; and where two people turn out to be one, `is_closed`, and after the close whose row it is.
    """

    __tablename__ = "roll_entries"
    __table_args__ = (Index("ix_roll_entries_person_id", "person_id"),)

    poll_id: Mapped[int] = mapped_column(ForeignKey("polls.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    # Why this person is eligible: the grant of coverage that held at the opening.
    grant_id: Mapped[int] = mapped_column(ForeignKey("coverage_grants.id"))
    has_voted: Mapped[bool] = mapped_column(default=False)
    # Whether this person is told what became of the poll; one click stops it.
    wants_news: Mapped[bool] = mapped_column(default=True)
    # This person's vote was cast under another address, before the two turned out to be one: no second ballot.
    is_closed: Mapped[bool] = mapped_column(default=False, server_default=false())


class SealedBallot(Model):
    """One row is the ballot of one voter of an open poll. Changing one's mind replaces it; the close deletes it.

    Neither voter nor choice can be read without the poll's key, which is not in the database.
    """

    __tablename__ = "sealed_ballots"
    __table_args__ = (Index("ix_sealed_ballots_receipt_key", "poll_id", "receipt_key"),)

    poll_id: Mapped[int] = mapped_column(ForeignKey("polls.id"), primary_key=True)
    # `sealing.PollKey.voter_key`: one effective ballot per member.
    voter_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    # AES-256-GCM under the poll key, bound to poll and voter_key, always as long: a `sealing.Ballot`.
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    # `sealing.PollKey.receipt_key`: how an open poll recognises a receipt.
    receipt_key: Mapped[str] = mapped_column(String(64))


@append_only
class Commitment(Model):
    """One row is one ballot as it was saved: `chain.commitment` of nonce and choice. Never changed.

    `jobs.link` and the close put them into the chain, in order of `id`. Without the nonce, which stands in the sealed
    ballot alone, nobody can tell which choice it is.
    """

    __tablename__ = "ballot_commitments"

    id: Mapped[int] = mapped_column(primary_key=True)
    poll_id: Mapped[int] = mapped_column(ForeignKey("polls.id"), index=True)
    commitment: Mapped[str] = mapped_column(String(64), unique=True)


@append_only
class ChainLink(Model):
    """One row is one link of a poll's chain; its head depends on all before it, and heads are public. Never changed.

    Link 0 is the poll as it was opened, the last one is the close; between them are the commitments.
    """

    __tablename__ = "chain_links"

    poll_id: Mapped[int] = mapped_column(ForeignKey("polls.id"), primary_key=True)
    # From 0, without gaps.
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # "opening", "ballot" or "close".
    kind: Mapped[str] = mapped_column(String(7))
    # What is linked: a commitment, or the SHA-256 of the canonical JSON of opening or close.
    entry: Mapped[str] = mapped_column(String(64))
    # SHA-256(previous head ‖ kind ‖ entry), hex; see `chain.head_after`.
    head: Mapped[str] = mapped_column(String(64))


@append_only
class CountedBallot(Model):
    """One row is one choice that was counted, written at the close in order of the receipts' hashes. Never changed."""

    __tablename__ = "counted_ballots"
    __table_args__ = (Index("ix_counted_ballots_poll_id_choice", "poll_id", "choice"),)

    poll_id: Mapped[int] = mapped_column(ForeignKey("polls.id"), primary_key=True)
    # SHA-256 of the receipt.
    receipt_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    # In the canonical form of `rules.choice_text`: "" is blank, "0,3,7" ticks, "3>0>7" a ranking. NULL in a poll with
    # fewer than `rules.FEW` counted ballots, where no choice is kept.
    choice: Mapped[str | None] = mapped_column(String(120))


@append_only
class PollResult(Model):
    """One row is the result of one poll, counted once at the close and never again. Never changed."""

    __tablename__ = "poll_results"

    poll_id: Mapped[int] = mapped_column(ForeignKey("polls.id"), primary_key=True)
    # Of the counting, such as "spav/1": a published result never changes when code does.
    rule_version: Mapped[str] = mapped_column(String(50))
    # Whether it says more than the winners: with fewer than `rules.FEW` counted ballots it does not.
    has_breakdown: Mapped[bool]
    # `counting.Count.as_dict()`; without a breakdown the winners by number, and everything else empty.
    count: Mapped[dict[str, Any]] = mapped_column(JSON)
    # The same ballots by every other rule that fits them: slug -> positions of winners.
    other_rules: Mapped[dict[str, Any]] = mapped_column(JSON)
    # Members who voted: what was counted, and what was set aside.
    n_voted: Mapped[int]
    n_blank: Mapped[int]
    # Choices dropped at the close because the payment behind the vote had gone back or was disputed (decision 20).
    n_set_aside: Mapped[int]
    # 256 random bits that go into the two digests, so that nobody finds the few choices of a small poll by trying.
    blind: Mapped[str] = mapped_column(String(64))
    # SHA-256 over blind, then receipt hashes and choices, one "hash|choice" per line, as the chain's last link says.
    ballots_digest: Mapped[str] = mapped_column(String(64))
    # SHA-256 over blind, then the choices alone, sorted: for polls that publish their ballots.
    choices_digest: Mapped[str] = mapped_column(String(64))


class Skip(Model):
    """One row is a winner that the editor passed over, with the public reason; the next in order moves up."""

    __tablename__ = "poll_skips"

    poll_id: Mapped[int] = mapped_column(ForeignKey("polls.id"), primary_key=True)
    topic_id: Mapped[int] = mapped_column(ForeignKey("topics.id"), primary_key=True)
    reason: Mapped[str] = mapped_column(String(500))
    actor_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]
    # The topic that moved up; NULL where there was none left.
    moved_up_id: Mapped[int | None] = mapped_column(ForeignKey("topics.id"))
