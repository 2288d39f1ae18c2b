"""What staff do about people: free membership, two who are one, somebody who is to be forgotten."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from membership.accounts import services as accounts
from membership.accounts.services import merging
from membership.db import db
from membership.kernel import clock
from membership.mail import services as mail
from membership.patrons import services as patrons
from tests.faults.lives.choices import DEATHS, READERS, STAFF, WHICH
from tests.faults.lives.notebook import Comp
from tests.faults.lives.readers import Reader


class NewsroomStaff:
    """Rules of `machine.Lives`."""

    @rule(who=READERS, n_days=st.sampled_from([3, 30, 90]), dies_at=DEATHS, again=st.booleans())
    def staff_make_somebody_a_guest(self, who, n_days, dies_at, again):
        self.step()
        reader, person_id = self._signed_in(who)
        if person_id is None:
            return
        at = clock.now()
        until = self.world.hours.in_days(n_days)

        def grant(key):
            return patrons.grant_comp(person_id, until, key, reason="A guest.", actor=STAFF, at=at)

        pressed = self._press(grant, dies_at, again=again)
        assert pressed.refusal is None, pressed
        name = f"comp:press-{self.n_presses}"
        if pressed.is_done or self.world.rows("SELECT id FROM coverage_grants WHERE cause_ref = :n", n=name):
            self.notes.comps.append(Comp(name, reader, at, until))

    @precondition(lambda self: self.notes.comps)
    @rule(which=WHICH, dies_at=DEATHS, again=st.booleans())
    def staff_take_a_guest_off(self, which, dies_at, again):
        self.step()
        comp = self.notes.comps[-1 - which % len(self.notes.comps)]
        reader, at = comp.reader.by_now(), clock.now()
        person_id = self.notes.readers.find_persons(self.world)[reader]

        def take_off(_key):
            patrons.revoke_comp(person_id, comp.name, reason="No guest any more.", actor=STAFF, at=at)

        pressed = self._press(take_off, dies_at, again=again)
        is_over = comp.gone_at is not None or comp.until <= at
        assert pressed.has_died or pressed.is_done != is_over, f"{comp} is over: {is_over}; taking it back: {pressed}"
        gone = self.world.rows("SELECT id FROM coverage_grants WHERE cause_ref = :n AND revoked_at IS NOT NULL",
                               n=comp.name)  # fmt: skip
        if pressed.is_done or (gone and not is_over):
            comp.gone_at = at

    def _somebody(self, which) -> tuple[Reader, int] | None:
        """One of those who have a row by now; the newest first."""
        known = list(self.notes.readers.find_persons(self.world).items())[::-1]
        return known[which % len(known)] if known else None

    @rule(which=WHICH, winner=READERS, dies_at=DEATHS, again=st.booleans())
    def two_turn_out_to_be_one(self, which, winner, dies_at, again):
        """Everything of the first is the second's from now on; the first address is free for somebody else."""
        self.step()
        found, (second, second_id) = self._somebody(which), self._signed_in(winner)
        if found is None or second_id is None or found[0] is second or found[0].forgotten_at:
            return
        (first, first_id), at = found, clock.now()

        def merge(_key):
            merging.merge(first_id, second_id, "One reader with two addresses.", STAFF, at)

        pressed = self._press(merge, dies_at, again=again)
        assert pressed.has_died or pressed.is_done != first.is_leaving, f"{first} and {second}: {pressed}"
        if self.world.rows("SELECT id FROM people WHERE id = :i AND merged_into_id IS NOT NULL", i=first_id):
            self.notes.readers.merge(first, first_id, second, at)

    @precondition(lambda self: self.notes.readers.find_persons(self.world))
    @rule(which=WHICH, farewell_leaves=st.booleans(), dies_at=DEATHS, again=st.booleans())
    def somebody_asks_to_be_forgotten(self, which, farewell_leaves, dies_at, again):
        """The worker does it once the last mail has left, or after a day."""
        self.step()
        reader, person_id = self._somebody(which)
        if reader.is_leaving:
            return

        def forget(_key):
            accounts.begin_erasure(person_id, "member", None, clock.now())

        pressed = self._press(forget, dies_at, again=again)
        assert pressed.refusal is None, pressed
        rows = self.world.rows("SELECT farewell_id FROM erasures WHERE person_id = :p", p=person_id)
        if rows:
            self.notes.readers.leave(reader, person_id)
            if farewell_leaves:
                self._let_leave(rows[0][0])

    def _let_leave(self, mail_id):
        letter = mail.claim(mail_id)
        mail.mark_sent(letter, clock.now(), f"<{mail_id}@example.org>")
        db.session.rollback()
