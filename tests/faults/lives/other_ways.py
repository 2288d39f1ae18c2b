"""Money beside Stripe: readers announce and transfer it, the bank tells of it, staff book it, and undo mistakes."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from membership.accounts.models import Person
from membership.contributions.services.declaring import Gift
from membership.db import db
from membership.kernel import clock
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.transfers import queries, services
from membership.transfers.services import Decision
from tests.faults.lives.bank import CUPS, IBANS, Announced, ByHand, Movement, days_before, noon, with_a_slip
from tests.faults.lives.choices import DEATHS, READERS, WHICH
from tests.faults.lives.readers import ADDRESSES
from tests.faults.lives.world import DESK

LINES = "SELECT id, amount_minor, kind, state, n_bookings, payment_id FROM statement_lines"
OTHER_PAYMENTS = """
    SELECT p.provider_id, p.currency, p.charged_minor - coalesce(sum(r.amount_minor), 0) FROM payments p
    LEFT JOIN payment_reversals r ON r.payment_id = p.id WHERE p.way <> 'card'
    GROUP BY p.id, p.provider_id, p.currency, p.charged_minor ORDER BY p.id
"""
CURRENCIES = st.sampled_from(["EUR", "EUR", "EUR", "USD", "CHF"])


class OtherWays:
    """Rules of `machine.Lives`."""

    # Readers and their banks ------------------------------------------------------------------------------

    @rule(who=READERS, cups=st.integers(1, 3), changes_mind=st.booleans(), dies_at=DEATHS, again=st.booleans())
    def a_reader_announces_a_transfer(self, who, cups, changes_mind, dies_at, again):
        self.step()
        self._announce(who, cups, dies_at, changes_mind=changes_mind, again=again)

    def _announce(self, who, cups, dies_at, *, changes_mind=False, again=False):
        self._use(who)
        person_id = self._signed_in(who)[1] if cups == 2 else None
        cup = Money(CUPS["EUR"], "EUR")
        gift = Gift("bank", cup * cups, cup, ADDRESSES[who], None, "en", person_id)

        def announce(key):
            return services.announce(gift, Rhythm.ONCE, key, clock.now())

        pressed = self._press(announce, dies_at, again=again)
        assert pressed.refusal is None, pressed
        if pressed.is_done:
            found = queries.get_announced(pressed.value)
            reader = self.notes.readers.holder(ADDRESSES[who], found.contribution.created_at)
            self.notes.account.announced.append(Announced(reader, pressed.value, found.code))
            if changes_mind:
                services.withdraw(found.declaration.id)
            db.session.rollback()

    @rule(who=READERS, cups=st.integers(1, 4), currency=CURRENCIES, says=st.sampled_from(["code", "slip", "thanks"]),
          which=WHICH, n_days=st.integers(1, 4), has_id=st.booleans(), is_told=st.booleans())  # fmt: skip
    def money_comes_to_the_account(self, who, cups, currency, says, which, n_days, has_id, is_told):
        """A transfer from somebody's bank: with a code of theirs or of a friend's, with a slip in it, or without."""
        self.step()
        account = self.notes.account
        if says != "thanks" and not account.announced:
            self._announce(who, cups, None)
        movement = Movement(days_before(self.world.hours.at, n_days), account.new_amount(CUPS[currency], cups),
                            currency, IBANS[who])  # fmt: skip
        if account.announced and says != "thanks":
            movement.announced = account.announced[-1 - which % len(account.announced)]
            movement.is_code_right = says == "code"
            code = movement.announced.code
            words = code if movement.is_code_right else with_a_slip(code)
            movement.text = f"{words} {movement.announced.reader.name}"
        if has_id:
            movement.own_id, movement.link = f"BANK{movement.minor}", f"E2E{movement.minor}"
        account.movements.append(movement)
        if is_told:
            self._read_in(account.movements[-2:], None)

    @precondition(lambda self: self.notes.account.movements)
    @rule(which=WHICH, n_days=st.integers(1, 2), is_told=st.booleans())
    def a_transfer_goes_back(self, which, n_days, is_told):
        self.step()
        account = self.notes.account
        taken = {movement.takes_back for movement in account.movements}
        left = [movement for movement in account.movements if not movement.takes_back and movement not in taken]
        if not left:
            return
        came = left[-1 - which % len(left)]
        day = max(came.day, days_before(self.world.hours.at, n_days))
        account.movements.append(
            Movement(day, came.minor, came.currency, came.iban, "returned", link=came.link, takes_back=came)
        )
        if is_told:
            self._read_in(account.movements[-2:], None)

    # Staff and their statements ---------------------------------------------------------------------------

    def _decision(self, at) -> Decision:
        return Decision(db.session.scalars(select(Person).where(Person.email == DESK)).one(), at, "A mistake.")

    @precondition(lambda self: self.notes.account.movements)
    @rule(n_last=st.integers(1, 4), n_left_out=st.integers(0, 1), is_backwards=st.booleans(), dies_at=DEATHS,
          again=st.booleans())  # fmt: skip
    def staff_read_a_statement_in(self, n_last, n_left_out, is_backwards, dies_at, again):
        """The last lines of the account, however the bank cuts them; some were in an earlier statement."""
        self.step()
        told = self.notes.account.movements[-n_last:]
        told = told[: max(len(told) - n_left_out, 1)]
        self._read_in(told[::-1] if is_backwards else told, dies_at, again=again)

    def _read_in(self, told, dies_at, *, again=False):
        raw = self.notes.account.statement(told)
        pressed = self._press(lambda _key: services.read_in(raw, None, clock.now()), dies_at, again=again)
        assert pressed.refusal is None, pressed
        for movement in told:
            movement.is_imported = pressed.is_done or movement.is_imported or None

    def _lines(self):
        return self.world.rows(f"{LINES} ORDER BY id")

    def _movement_of(self, line) -> Movement:
        _, minor, kind, *_ = line
        alike = (movement for movement in self.notes.account.movements if movement.minor == minor)
        return next(movement for movement in alike if bool(movement.takes_back) == (kind == "return"))

    @precondition(_lines)
    @rule(which=WHICH, what=st.sampled_from(["confirm", "assign", "assign", "ignore", "reopen", "undo", "undo"]),
          who=READERS, dies_at=DEATHS, again=st.booleans())  # fmt: skip
    def staff_decide_about_a_line(self, which, what, who, dies_at, again):
        self.step()
        lines = self._lines()
        before = lines[-1 - which % len(lines)]
        movement, at = self._movement_of(before), clock.now()
        reader = self._use(who)
        left = {ref: minor for ref, _, minor in self.world.rows(OTHER_PAYMENTS)}
        deed = self._deed_about(before, movement, what, reader, at)
        movement.is_decided = True
        self._press(lambda _key: deed(), dies_at, again=again)
        after = self.world.rows(f"{LINES} WHERE id = :i", i=before[0])[0]
        n_before, n_after = before[4], after[4]
        if n_after > n_before and what == "assign":
            movement.assigned[n_after] = reader
        was_booked, is_open = before[3] == "booked", after[3] in {"new", "suggested"}
        if was_booked and is_open and movement.takes_back:
            self.notes.account.take_back(before[5], at, -movement.minor)
            movement.n_undone += 1
        elif was_booked and is_open:
            self.notes.account.take_back(before[5], at, int(left[before[5]]))

    def _deed_about(self, line, movement, what, reader, at):
        line_id = line[0]
        if what == "assign" and movement.takes_back:
            receipt = self._receipt_of(movement.takes_back)
            return lambda: services.assign_return(line_id, receipt, self._decision(at))
        return {
            "confirm": lambda: services.confirm(line_id, at, self._decision(at)),
            "assign": lambda: services.assign(line_id, reader.email, "en", self._decision(at)),
            "ignore": lambda: services.ignore(line_id, self._decision(at)),
            "reopen": lambda: services.reopen(line_id, self._decision(at)),
            "undo": lambda: services.undo(line_id, self._decision(at)),
        }[what]

    def _receipt_of(self, came: Movement) -> str:
        """The number on the newest receipt for this money, as staff look it up; "" where there is none."""
        found = self.world.rows(
            "SELECT receipt_number FROM payments WHERE way = 'bank' AND charged_minor = :m AND currency = :c"
            " ORDER BY id DESC", m=came.minor, c=came.currency,
        )  # fmt: skip
        return found[0][0] if found else ""

    # Staff without statements -----------------------------------------------------------------------------

    @rule(who=READERS, way=st.sampled_from(["cash", "crypto", "paypal", "bank"]), cups=st.integers(1, 3),
          currency=CURRENCIES, n_days=st.integers(0, 3), is_announced=st.booleans(), is_told=st.booleans(),
          which=WHICH, dies_at=DEATHS, again=st.booleans())  # fmt: skip
    def staff_book_by_hand(self, who, way, cups, currency, n_days, is_announced, is_told, which, dies_at, again):
        """An envelope, or money that was announced: also such as a statement will tell of, or told of already."""
        self.step()
        account, at = self.notes.account, clock.now()
        on, minor = days_before(at, n_days), account.new_amount(CUPS[currency], cups)
        if is_announced and account.announced:
            announced = account.announced[-1 - which % len(account.announced)]
            came = next((m for m in account.movements if m.announced is announced), None) if is_told else None
            if came:
                way, minor, currency = "bank", came.minor, came.currency
            self._book_announced(announced, way, Money(minor, currency), on, at, dies_at, again=again)
            return
        reader, person_id = self._signed_in(who)
        if person_id is None:
            return
        cup = Money(CUPS[currency] if currency != "CHF" else 0, currency)
        gift = Gift(way, Money(minor, currency), cup, reader.email, None, "en", person_id)

        def book(key):
            services.book_by_hand(gift, on, key, self._decision(at))

        assert self._press(book, dies_at, again=again).refusal is None
        self._note_by_hand(way, reader, gift.amount, min(noon(on), at))

    def _book_announced(self, announced, way, amount, on, at, dies_at, *, again):
        found = queries.find_announced_by_code(announced.code)
        contribution_id = found.contribution.id if found else None
        db.session.rollback()
        if contribution_id is None:
            return  # forgotten, with the code

        def book(key):
            services.book_announced(contribution_id, amount, on, key, self._decision(at), way=way)

        self._press(book, dies_at, again=again)
        self._note_by_hand(way, announced.reader, amount, min(noon(on), at))

    def _note_by_hand(self, way, reader, amount, paid_at):
        payment_id = f"{way}:press-{self.n_presses}"
        if self.world.rows("SELECT id FROM payments WHERE provider_id = :p", p=payment_id):
            by_hand = ByHand(payment_id, way, reader, amount.minor, amount.currency, paid_at)
            self.notes.account.by_hand.append(by_hand)

    @rule(which=WHICH, share=st.integers(1, 2), is_undone=st.booleans(), dies_at=DEATHS, again=st.booleans())
    def staff_take_a_booking_back(self, which, share, is_undone, dies_at, again):
        """By mistake it was booked; or the money was sent back to its giver, the whole or a half."""
        self.step()
        payments, at = self.world.rows(OTHER_PAYMENTS), clock.now()
        if not payments:
            return
        payment_id, currency, left = payments[-1 - which % len(payments)]
        left = int(left)
        on = days_before(at, 0)
        line = queries.find_line_of(payment_id)
        line_id = line.id if line else None
        db.session.rollback()
        for told in self.world.rows(f"{LINES} WHERE id = :i", i=line_id or 0):
            self._movement_of(told).is_decided = True

        def undo(_key):
            if line_id is not None:
                services.undo(line_id, self._decision(at))
            else:
                services.undo_payment(payment_id, self._decision(at))

        def give_back(key):
            services.give_back(payment_id, Money(left // share, currency), on, self._decision(at), key)

        self._press(undo if is_undone else give_back, dies_at, again=again)
        self._note_taken_back(payment_id, left, at if is_undone else min(noon(on), at))

    def _note_taken_back(self, payment_id, left, at):
        now = next(int(minor) for ref, _, minor in self.world.rows(OTHER_PAYMENTS) if ref == payment_id)
        if now != left:
            self.notes.account.take_back(payment_id, at, left - now)
