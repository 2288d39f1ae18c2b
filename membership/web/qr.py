"""QR codes as SVG that stands in the page itself: no request, no script, no style of its own (strict CSP)."""

from dataclasses import dataclass

import segno
from segno.helpers import make_epc_qr

from membership.kernel.money import Money

# The EPC guideline (EPC069-12) allows 70 characters for the recipient.
LONGEST_HOLDER = 70


# Light modules around the code, which readers need (ISO/IEC 18004).
BORDER = 4


@dataclass(frozen=True, slots=True)
class Drawing:
    """A code as one path of an SVG: `path` is its `d`, of squares of 1; `size` is the side with the border."""

    path: str
    size: int


def of_transfer(holder: str, iban: str, bic: str | None, amount: Money, code: str) -> Drawing | None:
    """What a banking app reads: recipient, account, amount and code. None for other currencies than the euro.

    The code goes into the free text rather than into the structured reference: apps show the text to the payer and
    every bank hands it on, while some drop a structured one. Source: EPC069-12, version 002.
    """
    if amount.currency != "EUR":
        return None
    return _drawn(make_epc_qr(name=holder[:LONGEST_HOLDER], iban=iban, amount=amount.amount, text=code, bic=bic))


def of_text(text: str) -> Drawing:
    """An address, as it is."""
    return _drawn(segno.make(text, error="m", micro=False))


def _drawn(code: segno.QRCode) -> Drawing:
    squares = [
        f"M{x} {y}h1v1h-1z"
        for y, row in enumerate(code.matrix_iter(border=BORDER))
        for x, is_dark in enumerate(row)
        if is_dark
    ]
    return Drawing("".join(squares), len(code.matrix) + 2 * BORDER)
