"""What a member keeps: a receipt for each payment and a statement for each year, as page and as PDF."""

from collections import defaultdict
from dataclasses import dataclass

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from membership.billing import queries as billing
from membership.billing.queries import PaymentRow
from membership.contributions import queries
from membership.contributions.views.giving import bp
from membership.kernel import clock
from membership.kernel.errors import NotFound
from membership.kernel.money import Money
from membership.newsroom.queries import name_at
from membership.web import pdf, ratelimit
from membership.web.access import audience


@dataclass(frozen=True, slots=True)
class Total:
    """What was paid in one currency and what of it went back."""

    charged: Money
    returned: Money

    @property
    def kept(self) -> Money:
        """What stayed with the newsroom."""
        return self.charged - self.returned


@bp.get("/account/receipts/<number>")
@audience("member")
def receipt(number: str) -> str:
    """One receipt, made to be printed. Somebody else's is not there."""
    return _receipt_page(number)


@bp.get("/account/receipts/<number>.pdf")
@audience("member")
def receipt_pdf(number: str) -> ResponseReturnValue:
    """The same as PDF."""
    return _as_pdf(_receipt_page(number), f"receipt-{number}")


@bp.get("/account/statements")
@audience("member")
def statements() -> str:
    """The years in which the member gave something."""
    rows = _payments()
    years = sorted({row.year for row in rows}, reverse=True)
    return render_template("contributions/statements.html", years={year: _totals(rows, year) for year in years})


@bp.get("/account/statements/<int:year>")
@audience("member")
def statement(year: int) -> str:
    """All payments of one year on one sheet. A year without any is not there."""
    return _statement_page(year)


@bp.get("/account/statements/<int:year>.pdf")
@audience("member")
def statement_pdf(year: int) -> ResponseReturnValue:
    """The same as PDF."""
    return _as_pdf(_statement_page(year), f"statement-{year}")


def _payments() -> list[PaymentRow]:
    return billing.payments_of([contribution.reference for contribution in queries.contributions_of(current_user.id)])


def _totals(rows: list[PaymentRow], year: int) -> list[Total]:
    """What a year's payments come to, per currency, the largest number of payments first."""
    by_currency: dict[str, list[PaymentRow]] = defaultdict(list)
    for row in rows:
        if row.year == year:
            by_currency[row.charged.currency].append(row)
    return [
        Total(
            Money(sum(row.charged.minor for row in group), currency),
            Money(sum(row.returned.minor for row in group), currency),
        )
        for currency, group in sorted(by_currency.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def _receipt_page(number: str) -> str:
    payment = billing.get_receipt(number)
    contribution = queries.find_by_reference(payment.reference)
    if contribution is None or contribution.person_id != current_user.id:
        raise NotFound("receipt_not_found", "There is no such receipt.")
    return render_template(
        "contributions/receipt.html",
        receipt=payment,
        person=current_user,
        contribution=contribution,
        fees_covered=contribution.fees_in(payment.charged),
        newsroom_then=name_at(payment.paid_at),
        has_pdf=pdf.is_available(),
    )


def _statement_page(year: int) -> str:
    rows = [row for row in reversed(_payments()) if row.year == year]
    if not rows:
        raise NotFound("no_statement", "There are no payments in this year.")
    return render_template(
        "contributions/statement.html",
        year=year,
        payments=rows,
        totals=_totals(rows, year),
        person=current_user,
        at=clock.now(),
        has_pdf=pdf.is_available(),
    )


def _as_pdf(html: str, name: str) -> ResponseReturnValue:
    ratelimit.hit("papers.pdf", str(current_user.id))
    return pdf.pdf_response(html, name)
