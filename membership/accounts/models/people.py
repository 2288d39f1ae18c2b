"""Tables of people: who they are, how they sign in, where they are signed in, and what happened to them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from membership.accounts.rules import LONGEST_WORD, Role, may
from membership.db import Model, append_only_but
from membership.mail.rules import NOBODY

ONE_OF_OUR_LANGUAGES = "locale IN ('en', 'uk')"


class Person(Model):
    """One row is one person, known by one address of mail. Rows change; erasure empties the personal columns."""

    __tablename__ = "people"
    __table_args__ = (
        CheckConstraint(ONE_OF_OUR_LANGUAGES, name="locale_known"),
        Index("ix_people_created_at_id", "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # A random name for addresses and other companies: it names, and does not authorise.
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    # In the form of `rules.canonical_email`.
    email: Mapped[str] = mapped_column(String(254), unique=True)
    # When the person first showed that the address is theirs; until then nothing private is shown to anybody.
    email_proved_at: Mapped[datetime | None]
    # The name that the person wants to be shown in public; None means unnamed.
    public_name: Mapped[str | None] = mapped_column(String(200))
    # The language of mails; where it was chosen, signing in with another one does not change it.
    locale: Mapped[str] = mapped_column(String(2))
    has_chosen_locale: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime]
    # From then on nobody signs in as this person.
    disabled_at: Mapped[datetime | None]
    # Whose this person's things are now, since the two turned out to be one; this row is an empty shell then.
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)

    staff: Mapped["StaffMember | None"] = relationship(viewonly=True)

    @property
    def is_gone(self) -> bool:
        """Whether this person was erased or merged: nobody is behind this row, and no mail goes to its address."""
        return self.email.endswith(NOBODY)

    @property
    def role(self) -> Role | None:
        """What this person is on the staff; None for everybody else."""
        return Role(self.staff.role) if self.staff else None

    def may(self, action: str) -> bool:
        """Whether this person may do `action` (of `rules.ACTIONS`) as a member of staff."""
        return may(self.role, action)

    @property
    def is_active(self) -> bool:
        """Whether this person may be signed in (Flask-Login)."""
        return self.disabled_at is None

    @property
    def is_authenticated(self) -> bool:
        """Always: a Person as `current_user` is signed in (Flask-Login)."""
        return True

    @property
    def is_anonymous(self) -> bool:
        """Never (Flask-Login)."""
        return False

    def get_id(self) -> str:
        """The public id (Flask-Login)."""
        return self.public_id


# Bytes in their order on both databases, so that a prefix is a stretch of an index whatever the locale.
FOLDED = String(LONGEST_WORD).with_variant(String(LONGEST_WORD, collation="C"), "postgresql")


class PersonWord(Model):
    """One row is one beginning by which a person is found: `rules.words_of` their address and name, kept by
    `services.words` whenever either changes. Nothing here is not in `people`; erasure takes the rows along.
    """

    __tablename__ = "person_words"
    __table_args__ = (
        CheckConstraint("kind IN ('name', 'part', 'address', 'domain')", name="known_kind"),
        Index("ix_person_words_word_person_id", "word", "person_id"),
        Index("ix_person_words_kind_word_person_id", "kind", "word", "person_id"),
    )

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    word: Mapped[str] = mapped_column(FOLDED, primary_key=True)
    # A `rules.WordKind`.
    kind: Mapped[str] = mapped_column(String(8))


class StaffMember(Model):
    """One row is one person who works here. The role may change; leaving the staff deletes the row."""

    __tablename__ = "staff_members"
    __table_args__ = (CheckConstraint("role IN ('owner', 'editor', 'finance', 'viewer')", name="known_role"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(10))
    # As pages name this member of staff in public, beside the topics that they own.
    name: Mapped[str] = mapped_column(String(80))
    added_at: Mapped[datetime]
    # When they were last at the desk with their second factor shown; written at most once a minute. Real time.
    seen_at: Mapped[datetime | None]


class Approval(Model):
    """One row is one act about a member of staff that waits until a second owner agrees (ADR 16). It never changes:
    whoever agrees, refuses or withdraws takes the row away, so that it counts once; the audit log keeps what became of
    it. Moments are real time.
    """

    __tablename__ = "approvals"
    __table_args__ = (
        CheckConstraint("act IN ('reset', 'role', 'remove')", name="known_act"),
        CheckConstraint("(act = 'role') = (role IS NOT NULL)", name="role_given"),
        CheckConstraint("role IN ('owner', 'editor', 'finance', 'viewer')", name="known_role"),
        Index("ix_approvals_asker_id", "asker_id"),
        Index("ix_approvals_expires_at", "expires_at"),
    )

    # Random, and never used again: a form that was open for long agrees to nothing that came later.
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    # Whom it is about; one wish at a time. Both are on the staff, and the row goes when either leaves it.
    about_id: Mapped[int] = mapped_column(ForeignKey("people.id"), unique=True)
    asker_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    # A `rules.Act`, and for "role" the role that is to be given.
    act: Mapped[str] = mapped_column(String(6))
    role: Mapped[str | None] = mapped_column(String(10))
    # Why, in the asker's words; it goes into the audit log with the act.
    reason: Mapped[str] = mapped_column(String(200))
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class SignInRequest(Model):
    """One row is one request for a mailed link. Rows change until they are used; they are deleted after a day.

    It holds no secret: only hashes of the browser's nonce, the link's token and the code. Moments are real
    time. A row is written alike for known and unknown addresses. Only the newest that a browser made for an
    address can be used.
    """

    __tablename__ = "sign_in_requests"
    __table_args__ = (
        CheckConstraint(ONE_OF_OUR_LANGUAGES, name="locale_known"),
        CheckConstraint("n_tries BETWEEN 0 AND 5", name="few_tries"),
        Index("ix_sign_in_requests_email_id", "email", "id"),
        Index("ix_sign_in_requests_nonce_hash", "nonce_hash"),
        Index("ix_sign_in_requests_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # As typed, in canonical form.
    email: Mapped[str] = mapped_column(String(254))
    locale: Mapped[str] = mapped_column(String(2))
    # Where to go afterwards: a `rules.place`.
    next_place: Mapped[str] = mapped_column(String(40))
    # SHA-256 of the nonce in the cookie of the browser that asked.
    nonce_hash: Mapped[str] = mapped_column(String(64))
    # SHA-256 of the link's token and HMAC of the code; made when the mail leaves, empty for unknown addresses.
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    code_hash: Mapped[str | None] = mapped_column(String(64))
    # Codes tried so far.
    n_tries: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Session(Model):
    """One row is one browser in which a person is signed in. Signing out deletes it. Moments are real time."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_person_id", "person_id"), Index("ix_sessions_expires_at", "expires_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    # SHA-256 of the id in the cookie.
    id_hash: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    # What kind of browser it is, in our own words (`rules.browser_of`): "Firefox, Linux". NULL: it did not say.
    browser: Mapped[str | None] = mapped_column(String(40))
    # What belongs to this browser while signed in: the form token, messages for the next page.
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    # Written at most once an hour.
    last_seen_at: Mapped[datetime]
    # The end, however much it is used.
    expires_at: Mapped[datetime]


class AddressProof(Model):
    """One row is one code that was mailed to an address, so that somebody who is signed in shows that it is theirs.

    Rows change until they are used; they are deleted after a day. They hold no secret. Moments are real time. Only
    the newest of a person and purpose can be used.
    """

    __tablename__ = "address_proofs"
    __table_args__ = (
        CheckConstraint("purpose IN ('change', 'erase')", name="known_purpose"),
        CheckConstraint("n_tries BETWEEN 0 AND 5", name="few_tries"),
        Index("ix_address_proofs_person_id_purpose", "person_id", "purpose"),
        Index("ix_address_proofs_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    # "change": this becomes the person's address. "erase": it is theirs already, and they want to be forgotten.
    purpose: Mapped[str] = mapped_column(String(8))
    # Canonical.
    email: Mapped[str] = mapped_column(String(254))
    # HMAC of the code; made when the mail leaves.
    code_hash: Mapped[str | None] = mapped_column(String(64))
    n_tries: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class AddressChange(Model):
    """One row is one change of a person's address, which the owner of the old one can undo for seven days.

    Both addresses are emptied after that. Moments are real time, since the link runs on real time.
    """

    __tablename__ = "address_changes"
    __table_args__ = (Index("ix_address_changes_told_at", "told_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    old_email: Mapped[str | None] = mapped_column(String(254), index=True)
    new_email: Mapped[str | None] = mapped_column(String(254))
    changed_at: Mapped[datetime]
    undo_until: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    # When other companies (the payment provider) had the address as it is now; NULL: they are to be told.
    told_at: Mapped[datetime | None]


class Erasure(Model):
    """One row is one person who is to be forgotten, worked off step by step by `jobs.erase`. Rows are kept.

    Business time: `asked_at`, `emptied_at`; each NULL says which step is still to be done.
    """

    __tablename__ = "erasures"
    __table_args__ = (Index("ix_erasures_done_at", "done_at"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    # "member" or "staff:<public id>", and why where it was staff, in our words.
    actor: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(String(200))
    asked_at: Mapped[datetime]
    # The last mail: the rest waits until it has left, or for a day.
    farewell_id: Mapped[int | None]
    # When the provider was last asked to; who was longest ago is next, so that nobody holds up the others.
    tried_at: Mapped[datetime | None]
    # Support has ended and the provider has forgotten the customer.
    left_at: Mapped[datetime | None]
    # Every personal column is empty.
    emptied_at: Mapped[datetime | None]
    # The files were written anew without what was emptied.
    done_at: Mapped[datetime | None]


@append_only_but("person_id", "details")
class TimelineEntry(Model):
    """One row is one thing that happened to a person, for them to read. Never changed, but for whose it is, where two
    people turn out to be one, and for the details, which are emptied when the person is erased.

    `details` hold ids, amounts and plain words of ours, never personal values (decision 13).
    """

    __tablename__ = "timeline_entries"
    __table_args__ = (Index("ix_timeline_entries_person_id_at", "person_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]
    # What happened, in snake case; pages turn it into a sentence.
    kind: Mapped[str] = mapped_column(String(60))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    # Who did it: "member", "staff", "staff:<public id>" or "system".
    actor: Mapped[str] = mapped_column(String(40))
