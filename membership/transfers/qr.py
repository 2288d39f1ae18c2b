"""QR codes as SVG that stands in the page itself: no request, no script, no style of its own (strict CSP)."""

import segno
from markupsafe import Markup
from segno.helpers import make_epc_qr

from membership.kernel.money import Money

# The EPC guideline (EPC069-12) allows 70 characters for the recipient.
LONGEST_HOLDER = 70


def of_transfer(holder: str, iban: str, bic: str | None, amount: Money, code: str) -> Markup | None:
    """What a banking app reads: recipient, account, amount and code. None for other currencies than the euro.

    The code goes into the free text rather than into the structured reference: apps show the text to the payer and
    every bank hands it on, while some drop a structured one. Source: EPC069-12, version 002.
    """
    if amount.currency != "EUR":
        return None
    return _inline(make_epc_qr(name=holder[:LONGEST_HOLDER], iban=iban, amount=amount.amount, text=code, bic=bic))


def of_text(text: str) -> Markup:
    """An address, as it is."""
    return _inline(segno.make(text, error="m", micro=False))


def _inline(code: segno.QRCode) -> Markup:
    """Dark on white in every theme, since phones read nothing else; the words beside it say the same."""
    drawn = code.svg_inline(omitsize=True, border=4, dark="#000", light="#fff", svgclass="qr__code", lineclass=None)
    # segno draws squares: nothing of the text stands in the SVG.
    return Markup(drawn).replace("<svg ", Markup('<svg aria-hidden="true" focusable="false" '), 1)  # noqa: S704 - the sentence above
