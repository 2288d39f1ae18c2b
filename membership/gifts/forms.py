"""A gift as a giver types it, to whom it goes, and the code as a receiver types it."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import InputRequired, Length

from membership.accounts.rules import canonical_email
from membership.gifts.models import Gift
from membership.gifts.rules import (
    LONGEST_MESSAGE,
    LONGEST_NAME,
    MONTHS_OFFERED,
    Delivery,
    GiftWish,
    clean_message,
    clean_name,
    moment_of_mail,
    price_of,
)
from membership.kernel.errors import InvalidInput
from membership.newsroom.rules import CUPS_OFFERED, Offer
from membership.web import settings
from membership.web.forms import Form

BY_MAIL, BY_HAND = "mail", "hand"
TOO_LONG = _l("This is too long for a name.")
LONGEST_TYPED = 320


class DeliveryForm(Form):
    """To whom a gift goes, how, and when."""

    receiver_name = StringField(_l("The receiver's name"), validators=[Length(max=200, message=TOO_LONG)])
    from_name = StringField(_l("Your name, as the receiver will read it"), [Length(max=200, message=TOO_LONG)])
    way = RadioField(
        _l("How it gets there"),
        choices=[SelectChoice(BY_MAIL, _l("You mail it")), SelectChoice(BY_HAND, _l("I hand it over myself"))],
        default=BY_MAIL,
        validators=[InputRequired(_l("Please choose how it gets there."))],
    )
    receiver_email = StringField(
        _l("The receiver's e-mail address"),
        validators=[Length(max=LONGEST_TYPED, message=_l("This is longer than any e-mail address."))],
    )
    send_on = StringField(_l("The day of the mail"), validators=[Length(max=10)])
    message = TextAreaField(
        _l("A message"), validators=[Length(max=4 * LONGEST_MESSAGE, message=_l("Please use at most 500 characters."))]
    )

    def delivery(self, now: datetime) -> Delivery:
        """What these (sent) fields say; InvalidInput naming the field for the first that cannot be."""
        is_by_mail = self.way.data == BY_MAIL
        return Delivery(
            from_name=clean_name(self.from_name.data or "", "from_name"),
            receiver_name=clean_name(self.receiver_name.data or "", "receiver_name"),
            message=clean_message(self.message.data or ""),
            email=self._address() if is_by_mail else None,
            send_at=self._moment(now) if is_by_mail else None,
        )

    def is_in_order(self, now: datetime) -> bool:
        """Whether everything that was typed can be; if not, every mistake stands beside its field at once."""
        is_valid = bool(self.validate_on_submit())
        for check in self._checks(now):
            try:
                check()
            except InvalidInput as error:
                is_valid = False
                self.explain(error)
        return is_valid

    def _checks(self, now: datetime) -> list[Callable[[], object]]:
        checks: list[Callable[[], object]] = [
            lambda: clean_name(self.receiver_name.data or "", "receiver_name"),
            lambda: clean_name(self.from_name.data or "", "from_name"),
            lambda: clean_message(self.message.data or ""),
        ]
        return [*checks, self._address, lambda: self._moment(now)] if self.way.data == BY_MAIL else checks

    def _address(self) -> str:
        try:
            return canonical_email(self.receiver_email.data or "")
        except InvalidInput as error:
            raise InvalidInput(error.code, error.message, field="receiver_email") from error

    def _moment(self, now: datetime) -> datetime:
        try:
            day = datetime.strptime(self.send_on.data or "", "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
        except ValueError as error:
            raise InvalidInput("no_day", "Please choose a day.", field="send_on") from error
        return moment_of_mail(day, _zone(), now)

    def explain(self, error: InvalidInput) -> None:
        """Put an error that the rules found beside the field that it is about, once."""
        field: Field = self._fields.get(error.field or "", self.receiver_name)
        if not field.errors:
            field.errors = [_in_words(error)]

    def show(self, gift: Gift) -> None:
        """Fill in what is known of a gift."""
        for field in (self.from_name, self.receiver_name, self.receiver_email, self.message):
            field.data = getattr(gift, field.name) or ""
        self.way.data = BY_HAND if gift.send_at is None else BY_MAIL
        self.send_on.data = day_of(gift.send_at) if gift.send_at else self.send_on.data


class GiftForm(DeliveryForm):
    """A gift before it is paid."""

    email = StringField(
        _l("Your e-mail address"),
        validators=[
            InputRequired(_l("Please type your e-mail address.")),
            Length(max=LONGEST_TYPED, message=_l("This is longer than any e-mail address.")),
        ],
    )
    months = RadioField(
        _l("How long"),
        choices=[SelectChoice(str(n)) for n in MONTHS_OFFERED],
        default="3",
        validators=[InputRequired(_l("Please choose one of the lengths."))],
    )
    cups = RadioField(
        _l("How many cups a month"),
        choices=[SelectChoice(str(n)) for n in CUPS_OFFERED],
        default="1",
        validators=[InputRequired(_l("Please choose one of the numbers of cups."))],
    )
    currency = HiddenField()
    seen = HiddenField()  # the prices that were shown: `Offer.mark`
    form_token = HiddenField()

    def _checks(self, now: datetime) -> list[Callable[[], object]]:
        return [lambda: canonical_email(self.email.data or ""), *super()._checks(now)]

    def to_wish(self, offer: Offer, now: datetime) -> GiftWish:
        """What this (valid) form asks for in the offer's currency; InvalidInput naming the field."""
        if self.currency.data != offer.currency:
            raise InvalidInput("unknown_currency", "This newsroom does not take that currency.", field="months")
        n_months, n_cups = int(self.months.data), int(self.cups.data)
        return GiftWish(n_months, n_cups, price_of(offer, n_cups, n_months), self.delivery(now))


class RedeemForm(Form):
    """The code of a gift. What it is worth is looked up afterwards."""

    code = StringField(
        _l("The code of your gift"),
        validators=[
            InputRequired(_l("Please type the code.")),
            Length(max=60, message=_l("This is longer than any code.")),
        ],
    )


def day_of(moment: datetime) -> str:
    """The day of a moment in the newsroom's zone, as a field of days takes it."""
    return moment.astimezone(_zone()).date().isoformat()


def _zone() -> ZoneInfo:
    return ZoneInfo(settings().newsroom_zone)


def _in_words(error: InvalidInput) -> str:
    words = _("Please type an e-mail address such as reader@example.org.")
    match error.code:
        case "name_missing" if error.field == "receiver_name":
            words = _("Please type the name of the one who gets it.")
        case "name_missing":
            words = _("Please type your own name.")
        case "name_too_long":
            words = _("Please use at most %(n)s characters for a name.", n=LONGEST_NAME)
        case "message_too_long":
            words = _("Please use at most 500 characters.")
        case "no_day":
            words = _("Please choose a day.")
        case "day_past":
            words = _("This day is over. Please choose today or a later one.")
        case "day_too_far":
            words = _("Please choose a day within the next twelve months.")
        case "unknown_currency":
            words = _("We do not take this currency. Please choose one of those offered.")
    return str(words)
