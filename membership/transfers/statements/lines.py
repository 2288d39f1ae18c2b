"""What a statement says, in our words, and the name by which a line is known again.

A line is the same line however the statement is cut: read twice, for overlapping periods, from several files or in
another order. So its identity is made of what the bank says of it, never of where it stands.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from membership.kernel.errors import InvalidInput
from membership.kernel.money import Money


class UnreadableStatement(InvalidInput):
    """A file that cannot be taken for a statement; nothing of it was written."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message, field="file")


class Kind(StrEnum):
    """CREDIT: money came. RETURN: money that had come went back, and the bank says so. FEE: what was kept because of
    such a payment, on a line of its own (a chargeback's); FEE_BACK: it was given back. DEBIT: any other money out,
    which is none of our business unless it names one of our bookings.
    """  # fmt: skip

    CREDIT = "credit"
    RETURN = "return"
    FEE = "fee"
    FEE_BACK = "fee_back"
    DEBIT = "debit"


@dataclass(frozen=True, slots=True)
class Line:
    """One movement on an account. `amount` is above zero, whatever its direction.

    `text` is what the payer wrote; `name` and `account` (IBAN, or address at PayPal) are the other party's, "" where
    unknown. `own_id` is the bank's own name for this very movement, "" where it gives none; `linked_id` the one by
    which a gift, its return and the fees of both name each other. `part` counts the parts of one entry that are alike.
    `fee` is what was kept with this movement, below zero where it was given back with a return. `is_odd`: hardly a gift
    (a payment of ours that came back, parts that do not add up, money that had gone back and came again).
    """

    kind: Kind
    booked_on: date
    amount: Money
    text: str = ""
    name: str = ""
    account: str = ""
    own_id: str = ""
    linked_id: str = ""
    part: int = 0
    fee: Money | None = None
    is_odd: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """The lines of one account in one file. `way` is "bank" or "paypal"; `source` the form of the file.

    `notes` are sentences about what was left out.
    """

    way: str
    source: str
    account: str
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()


def identities(statement: Statement) -> Iterator[tuple[str, Line]]:
    """Each line with its identity (64 hex characters), in the order of the statement.

    Lines with the bank's own id that are alike in everything are one line, told twice. Lines without one are counted
    among those of the same day that are alike: the second equal gift of a day is another gift. (So a day must not be
    cut in two between equal lines that the bank gives no id; banks cut between days.)
    """
    seen: Counter[tuple[str, ...]] = Counter()
    told: set[tuple[str, ...]] = set()
    for line in statement.lines:
        key = (
            statement.way,
            statement.account.upper(),
            line.kind.value,
            line.booked_on.isoformat(),
            str(line.amount.minor),
            line.amount.currency,
            line.own_id,
            str(line.part),
            *(" ".join(text.upper().split()) for text in (line.text, line.name, line.account)),
        )
        if line.own_id:
            if key in told:
                continue
            told.add(key)
            yield _digest((*key, "")), line
            continue
        seen[key] += 1
        yield _digest((*key, str(seen[key]))), line


def _digest(parts: Iterable[str]) -> str:
    """SHA-256 over length-prefixed parts."""
    total = hashlib.sha256()
    for part in parts:
        raw = part.encode()
        total.update(len(raw).to_bytes(4, "big") + raw)
    return total.hexdigest()
