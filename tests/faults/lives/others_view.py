"""What ought to be true of money beside Stripe, from what the bank said and what staff did."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from membership.billing.models import Payment, PaymentReversal
from membership.contributions.models import Contribution
from membership.db import db
from membership.transfers.models import StatementLine
from tests.faults.lives.bank import CUPS, Account, Movement
from tests.faults.lives.readers import Reader
from tests.faults.lives.stripes_view import Moved

OF_A_LINE = re.compile(r"bank:([0-9a-f]{64})(?::(\d+))?")
MOST_MONTHS = 24


@dataclass
class Came(Moved):
    """One booking of money that came another way, as it ought to be; `reader` gave it."""

    way: str
    reader: Reader
    from_line: Movement | None = None

    @property
    def n_months(self) -> int:
        cup = CUPS[self.currency] if self.currency != "CHF" else 0
        return min(self.minor // cup, MOST_MONTHS) if cup else 0


@dataclass
class Others:
    """Every booking, and what is wrong with those and with the lines of statements."""

    account: Account
    persons: dict[Reader, int]
    came: list[Came] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    payers: dict[str, set[Reader]] = field(default_factory=lambda: defaultdict(set))
    line_of: dict[tuple[str, int], StatementLine] = field(default_factory=dict)
    n_back: Counter = field(default_factory=Counter)

    def look(self) -> "Others":
        lines = {line.identity: line for line in db.session.scalars(select(StatementLine))}
        self._lines(list(lines.values()))
        columns = (Payment.id, Payment.provider_id, Payment.way, Payment.charged_minor, Payment.currency,
                   Payment.paid_at, Payment.booked_at, Payment.reference, Contribution.person_id)  # fmt: skip
        query = select(*columns).join(Contribution, Contribution.reference == Payment.reference)
        for row in db.session.execute(query.where(Payment.way != "card").order_by(Payment.id)):
            self._payment(row, lines)
        return self

    # Lines ------------------------------------------------------------------------------------------------

    def _lines(self, lines: list[StatementLine]) -> None:
        """Each line of the account is there once, however often and however cut the bank told of it."""
        seen = Counter((line.kind, line.amount_minor, line.currency) for line in lines)
        self.line_of = {(line.kind, line.amount_minor): line for line in lines}
        for movement in self.account.movements:
            n = seen.pop((_kind(movement), movement.minor, movement.currency), 0)
            if n != 1 and (n > 1 or movement.is_imported):
                self.found.append(f"lines: {_say(movement)} was read in: {movement.is_imported}; it is there {n} times")
            if n and movement.is_imported is False:
                self.found.append(f"lines: {_say(movement)} is there, and nobody read it in")
        if seen:
            self.found.append(f"lines: no bank told of {sorted(seen)}")

    def _payment(self, row, lines) -> None:
        by_hand = next((known for known in self.account.by_hand if known.payment_id == row.provider_id), None)
        if by_hand is not None:
            wanted = (by_hand.way, by_hand.minor, by_hand.currency, by_hand.paid_at)
            movement, readers = None, [by_hand.reader]
        else:
            name = OF_A_LINE.fullmatch(row.provider_id)
            line = lines.get(name.group(1)) if name else None
            movement = next((m for m in self.account.movements if line is not None and not m.takes_back
                             and m.minor == line.amount_minor), None)  # fmt: skip
            if movement is None:
                self.found.append(f"other ways: nobody knows of the payment {row.provider_id}")
                return
            wanted = ("bank", movement.minor, movement.currency, movement.paid_at)
            readers = self._givers_of(movement, int(name.group(2) or 1))
        is_like = (row.way, row.charged_minor, row.currency, row.paid_at)
        if is_like != wanted:
            self.found.append(f"other ways: {row.provider_id} is booked as {is_like}, and was {wanted}")
        mine = [reader for reader in readers if self.persons.get(reader.by_now()) == row.person_id]
        if not mine:
            names = [f"{reader.email} (now {self.persons.get(reader.by_now())})" for reader in readers]
            self.found.append(f"other ways: {row.provider_id} is booked for person {row.person_id}, not for {names}")
            return
        came = Came(row.provider_id, row.reference, row.charged_minor, row.currency, row.paid_at,
                    self._moves_of(row, movement), row.way, mine[0], movement)  # fmt: skip
        gone_at = mine[0].by_now().forgotten_at
        if gone_at is not None and row.booked_at > gone_at:
            self.found.append(f"other ways: {row.provider_id} was booked for somebody who was forgotten by then")
        if movement is not None:
            self.payers[movement.iban].add(mine[0])
        self.came.append(came)

    def _givers_of(self, movement: Movement, number: int) -> list[Reader]:
        """For whom the n-th booking of a line may be: for whom staff said; else by its code, or by its account."""
        if number in movement.assigned:
            return [movement.assigned[number]]
        by_account = sorted(self.payers[movement.iban], key=lambda reader: reader.name)
        if movement.announced and movement.is_code_right and not movement.announced.reader.by_now().is_leaving:
            return [movement.announced.reader]
        return [*([movement.announced.reader] if movement.announced else []), *by_account]

    # Money that went back ---------------------------------------------------------------------------------

    def _moves_of(self, row, movement: Movement | None) -> list[tuple[datetime, int]]:
        """What of a payment went back and came again: what staff did, and returns that the bank told of."""
        query = select(PaymentReversal.moved_at, PaymentReversal.amount_minor).where(
            PaymentReversal.payment_id == row.id
        )
        booked = Counter((at, minor) for at, minor in db.session.execute(query))
        by_staff = Counter(self.account.taken_back.get(row.provider_id, []))
        told = booked - by_staff
        if missing := by_staff - booked:
            self.found.append(f"other ways: of {row.provider_id} staff took back {_days(missing)}, which is not booked")
        back = next((m for m in self.account.movements if movement is not None and m.takes_back is movement), None)
        if back is not None:
            self.n_back[back] += told.pop((back.paid_at, back.minor), 0)
        if told:
            self.found.append(f"other ways: of {row.provider_id} went back {_days(told)}, which nobody knows of")
        return sorted(booked.elements())

    def complaints(self) -> Iterator[str]:
        yield from self.found
        n_booked = Counter(came.from_line for came in self.came)
        for movement in self.account.movements:
            line = self.line_of.get((_kind(movement), movement.minor))
            if line is None:
                continue
            n_there = self.n_back[movement] if movement.takes_back else n_booked[movement]
            if n_there != line.n_bookings:
                yield f"lines: {_say(movement)} was booked {line.n_bookings} times; the books have it {n_there} times"
            n_undone = movement.n_undone
            if movement.takes_back and n_there - n_undone != (line.state == "booked"):
                yield f"lines: {_say(movement)} is {line.state}, booked {n_there} times, undone {n_undone} times"
            if line.state in {"new", "suggested"} and self._is_certain(movement):
                yield f"lines: {_say(movement)} is {line.state}, and nobody need be asked whose it is"
        for came in self.came:
            if came.from_line is not None:
                yield from self._unlike(came)

    def _unlike(self, came: Came) -> Iterator[str]:
        """A line is booked while money of its last booking is here, and returned or open when none is."""
        line = self.line_of["credit", came.minor]
        left = came.minor - came.returned
        is_last = line.payment_id == came.id
        if (line.state == "booked" and is_last) != (left > 0):
            yield f"lines: {_say(came.from_line)} is {line.state} as {line.payment_id}; {left} is left of {came.id}"

    def _is_certain(self, movement: Movement) -> bool:
        """Whether it must be booked without asking: an exact code of somebody who is there, and no reason to doubt."""
        doubts = movement.is_decided or any(hand.minor == movement.minor for hand in self.account.by_hand)
        if movement.takes_back or doubts or not movement.is_code_right or not movement.announced:
            return False
        return not movement.announced.reader.by_now().is_leaving


def _kind(movement: Movement) -> str:
    return "return" if movement.takes_back else "credit"


def _say(movement: Movement) -> str:
    return f"the {_kind(movement)} of {movement.minor} {movement.currency}"


def _days(moves: Counter) -> str:
    return ", ".join(f"{minor} at {at:%Y-%m-%d %H:%M:%S}" for at, minor in moves.elements())
