"""The shape of the contribute form, and the wish that it means."""

from collections.abc import Callable
from typing import cast

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, HiddenField, RadioField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import InputRequired, Length

from membership.accounts.rules import canonical_email
from membership.contributions.rules import LONGEST_PUBLIC_NAME, Wish, clean_public_name, gift_from
from membership.kernel.errors import InvalidInput
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.newsroom.rules import CUPS_OFFERED, Offer
from membership.web.filters import money_short
from membership.web.forms import Form

OWN = "own"


class ContributeForm(Form):
    """What a reader fills in before the payment page. Amounts are checked against the offer afterwards."""

    email = StringField(
        _l("Your e-mail address"),
        validators=[
            InputRequired(_l("Please type your e-mail address.")),
            Length(max=320, message=_l("This is longer than any e-mail address.")),
        ],
    )
    rhythm = RadioField(
        _l("How often"),
        choices=[
            SelectChoice(Rhythm.MONTHLY.value, _l("Monthly")),
            SelectChoice(Rhythm.YEARLY.value, _l("Yearly")),
            SelectChoice(Rhythm.ONCE.value, _l("Once")),
        ],
        default=Rhythm.MONTHLY.value,
        validators=[InputRequired(_l("Please choose how often."))],
    )
    cups = RadioField(
        _l("How much"),
        choices=[*(SelectChoice(str(n)) for n in CUPS_OFFERED), SelectChoice(OWN, _l("Another amount"))],
        default="1",
        validators=[InputRequired(_l("Please choose an amount."))],
    )
    amount = StringField(_l("Your amount"), validators=[Length(max=20, message=_l("This is too long for an amount."))])
    currency = HiddenField()
    seen = HiddenField()  # the prices that were shown: `Offer.mark`
    covers_fees = BooleanField(_l("Add the card fee, so that the whole gift arrives"))
    public_name = StringField(
        _l("Name to show in public (optional)"),
        validators=[Length(max=200, message=_l("This is too long for a name."))],
    )
    form_token = HiddenField()

    def leave_out_what_is_not_on_offer(self) -> None:
        """Mend values that came from an address rather than from a person: unknown choices become the default."""
        for field in (self.rhythm, self.cups):
            if field.data not in {choice.value for choice in cast("list[SelectChoice]", field.choices)}:
                field.data = field.default

    def is_in_order(self, offer: Offer) -> bool:
        """Whether the form was sent and can be accepted; if not, every mistake stands beside its field at once."""
        is_valid = bool(self.validate_on_submit())
        checks: list[tuple[Field, Callable[[], object]]] = [
            (self.email, lambda: canonical_email(self.email.data or "")),
            (self.public_name, lambda: clean_public_name(self.public_name.data or "")),
        ]
        if not self.rhythm.errors and not self.cups.errors and self.currency.data == offer.currency:
            checks.append((self.amount, lambda: self._gift(offer)))
        for field, check in checks:
            try:
                check()
            except InvalidInput as error:
                is_valid = False
                if not field.errors:
                    self.explain(error)
        return is_valid

    def _gift(self, offer: Offer) -> Money:
        return gift_from(offer, Rhythm(self.rhythm.data), self.cups.data, self.amount.data or "")

    def to_wish(self, offer: Offer, email: str) -> Wish:
        """What this (valid) form asks for, in the offer's currency; `email` is already canonical.

        Raises InvalidInput naming the field for an amount or a name that cannot be.
        """
        if self.currency.data != offer.currency:
            raise InvalidInput("unknown_currency", "This newsroom does not take that currency.", field="currency")
        gift = self._gift(offer)
        return Wish(
            email=email,
            rhythm=Rhythm(self.rhythm.data),
            gift=gift,
            charge=gift + offer.fee_for(gift) if self.covers_fees.data else gift,
            cup=offer.cup,
            public_name=clean_public_name(self.public_name.data or ""),
        )

    def explain(self, error: InvalidInput) -> None:
        """Put an error that the rules found beside the field that it is about, in the reader's language."""
        field = self._fields.get(error.field or "", self.email)
        field.errors = [*field.errors, in_words(error)]


def in_words(error: InvalidInput) -> str:
    """What is wrong with a wish, in the language of the page."""
    words = _("Please type an e-mail address such as reader@example.org.")
    match error.code:
        case "too_little":
            words = _("The least is %(amount)s.", amount=money_short(error.details["minimum"]))
        case "too_much":
            words = _(
                "The most is %(amount)s here. For more, please write to us: we would love to talk.",
                amount=money_short(error.details["maximum"]),
            )
        case "not_an_amount":
            words = _("Please type an amount in figures, such as 12 or 12.50.")
        case "name_too_long":
            words = _("Please use at most %(n)s characters for your name.", n=LONGEST_PUBLIC_NAME)
        case "unknown_currency":
            words = _("We do not take this currency. Please choose one of those offered.")
        case "unknown_choice":
            words = _("Please choose one of the amounts.")
    return str(words)
