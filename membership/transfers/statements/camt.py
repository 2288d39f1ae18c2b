"""Bank statements in ISO 20022 camt.053, versions .001.02 to .001.08.

Source: the message definitions of ISO 20022 (Bank-to-Customer Statement V02 to V08). Between these versions parties
moved into `Pty`, the status into `Cd`, and details got an amount of their own; both shapes are read everywhere.
Booked entries only. A batch entry with several details becomes a line for each detail.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

from membership.kernel.money import MINOR_DIGITS, Money
from membership.transfers.statements.lines import Kind, Line, Statement, UnreadableStatement
from membership.transfers.statements.xml import Element, parse

NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:(camt\.053\.001\.0[2-8])")
OTHER_MESSAGE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:(\w+\.\d{3}\.\d{3}\.\d{2})")
# What the message definitions allow, five digits after the point, and never more than the database holds. Looked at
# before it becomes a number: "1e999999999" would be one of a thousand million digits.
AMOUNT = re.compile(r"\+?(?=\.?[0-9])[0-9]{0,13}(?:\.[0-9]{0,5})?")
NO_IDS = frozenset({"", "NOTPROVIDED", "NOT PROVIDED", "NONREF", "NONE", "UNKNOWN", "0"})


def read_camt(raw: bytes) -> list[Statement]:
    """Every statement in the file; UnreadableStatement where it is another message or breaks off."""
    root, namespace = parse(raw)
    version = NAMESPACE.fullmatch(namespace)
    if version is None:
        other = OTHER_MESSAGE.fullmatch(namespace)
        what = f"a {other.group(1)} message" if other else "XML of another kind"
        raise UnreadableStatement(
            "other_message", f"This is {what}. Export the statement as camt.053, version .001.02 to .001.08."
        )
    statements = [_statement(element, version.group(1)) for element in root.all("BkToCstmrStmt/Stmt")]
    if not statements:
        raise UnreadableStatement("no_statement", "There is no statement in this file.")
    return statements


def _statement(element: Element, version: str) -> Statement:
    account = element.first("Acct/Id/IBAN", "Acct/Id/Othr/Id").replace(" ", "")
    lines: list[Line] = []
    n_unknown = n_open = 0
    for entry in element.all("Ntry"):
        if entry.first("Sts/Cd", "Sts/Prtry", "Sts") not in {"BOOK", ""}:
            n_open += 1
            continue
        try:
            lines += _lines_of(entry)
        except _UnknownCurrency:
            n_unknown += 1
    notes = [f"Entries that are not booked yet, and come with a later statement: {n_open}."] if n_open else []
    if n_unknown:
        notes.append(f"Entries in a currency that this program does not know, to be booked by hand: {n_unknown}.")
    return Statement("bank", version, account, tuple(lines), tuple(notes))


class _UnknownCurrency(Exception):  # noqa: N818 - never leaves this module
    pass


def _lines_of(entry: Element) -> list[Line]:
    """The lines of one entry: one for each detail whose amounts add up to it, else one for all of it."""
    whole = _money(entry.find("Amt"))
    details = entry.all("NtryDtls/TxDtls")
    base = Line(_kind(entry), _day(entry), whole, own_id=_own_id(entry), is_odd=_is_odd(entry))
    if len(details) <= 1:
        return [_with_detail(base, details[0])] if details else [replace(base, text=entry.first("AddtlNtryInf"))]
    parts = list(_parts(base, details))
    if any(part is None for part in parts) or sum(part.amount.minor for part in parts if part) != whole.minor:
        text = " ".join(_text(detail) for detail in details)[:1000]
        return [replace(base, text=text, is_odd=True)]
    return _counted([part for part in parts if part])


def _parts(base: Line, details: list[Element]) -> Iterator[Line | None]:
    for detail in details:
        amount = detail.find("Amt") or detail.find("AmtDtls/TxAmt/Amt") or detail.find("AmtDtls/InstdAmt/Amt")
        money = _money(amount) if amount is not None else None
        if money is None or money.currency != base.amount.currency:
            yield None
            continue
        yield _with_detail(replace(base, amount=money), detail, is_part=True)


def _counted(parts: list[Line]) -> list[Line]:
    """Parts of one entry that are alike get a number each: an entry is never cut."""
    seen: Counter[Line] = Counter()
    counted = []
    for part in parts:
        seen[part] += 1
        counted.append(replace(part, part=seen[part]))
    return counted


def _with_detail(line: Line, detail: Element, *, is_part: bool = False) -> Line:
    """The line with what one detail says: the other party, the text, the bank's own id."""
    payer = "Dbtr" if line.kind is Kind.CREDIT else "Cdtr"
    own = _own_id(detail) or _id(detail.first("Refs/UETR", "Refs/TxId"))
    is_return = detail.find("RtrInf") is not None
    kind = Kind.RETURN if is_return and line.kind is Kind.DEBIT else line.kind
    return replace(
        line,
        kind=kind,
        text=_text(detail),
        name=detail.first(f"RltdPties/{payer}/Nm", f"RltdPties/{payer}/Pty/Nm")[:140],
        account=detail.first(f"RltdPties/{payer}Acct/Id/IBAN", f"RltdPties/{payer}Acct/Id/Othr/Id")
        .replace(" ", "")
        .upper(),
        own_id=f"{line.own_id}/{own}" if is_part and line.own_id and own else line.own_id or own,
        linked_id=_id(detail.first("Refs/EndToEndId")),
        is_odd=line.is_odd or (is_return and line.kind is Kind.CREDIT),
    )


def _text(detail: Element) -> str:
    """What the payer wrote, free and structured, and the reference that they gave."""
    pieces = [element.text for element in detail.all("RmtInf/Ustrd")]
    pieces += [element.text for element in detail.all("RmtInf/Strd/CdtrRefInf/Ref")]
    pieces += [element.text for element in detail.all("RmtInf/Strd/AddtlRmtInf")]
    pieces.append(_id(detail.first("Refs/EndToEndId")))
    return " ".join(piece for piece in pieces if piece)[:1000] or detail.first("AddtlTxInf")[:1000]


def _kind(entry: Element) -> Kind:
    if entry.first("CdtDbtInd") == "CRDT":
        return Kind.CREDIT
    return Kind.RETURN if _is_reversal(entry) else Kind.DEBIT


def _is_odd(entry: Element) -> bool:
    """A credit that takes back a debit: our own money coming home, no gift."""
    return entry.first("CdtDbtInd") == "CRDT" and _is_reversal(entry)


def _is_reversal(entry: Element) -> bool:
    return entry.first("RvslInd").lower() in {"true", "1"}


def _own_id(element: Element) -> str:
    """The bank's own name of an entry or detail. `NtryRef` is not asked: many banks number the rows with it."""
    return _id(element.first("AcctSvcrRef", "Refs/AcctSvcrRef"))


def _id(text: str) -> str:
    return "" if text.upper() in NO_IDS else text


def _day(entry: Element) -> date:
    text = entry.first("BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm")
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise UnreadableStatement("no_day", f"An entry has no day that can be read: {text!r}.") from error


def _money(element: Element | None) -> Money:
    if element is None:
        raise UnreadableStatement("no_amount", "An entry has no amount.")
    currency = element.attributes.get("Ccy", "")
    if currency not in MINOR_DIGITS:
        raise _UnknownCurrency
    said = element.text
    value = Decimal(said).scaleb(MINOR_DIGITS[currency]) if AMOUNT.fullmatch(said) else None
    if value is None or value != int(value):
        raise UnreadableStatement("no_amount", f"This is no amount in {currency}: {said[:40]!r}.")
    return Money(int(value), currency)
