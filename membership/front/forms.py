"""What staff type about people: always a reason, and what the action needs besides."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, ValidationError

from membership.contributions.forms import ActForm, ConfirmChangeForm, PauseForm
from membership.kernel.errors import InvalidInput
from membership.kernel.money import Money
from membership.kernel.words import one_line
from membership.web import settings
from membership.web.filters import money_short
from membership.web.forms import Form

LONGEST_REASON = 200


def _no_address(_form: object, field: StringField) -> None:
    if "@" in (field.data or ""):
        raise ValidationError(_("Please leave addresses out: the history keeps this line for good."))


def _reason() -> StringField:
    return StringField(
        _l("The reason"),
        filters=[lambda text: one_line(text or "")],
        validators=[
            DataRequired(_l("Please say why: it stays in the history of this person.")),
            Length(max=LONGEST_REASON, message=_l("Please use at most 200 characters.")),
            _no_address,
        ],
    )


class StaffActForm(ActForm):
    """An action that needs nothing but a reason."""

    reason = _reason()


class StaffChangeForm(ConfirmChangeForm):
    """Other terms for somebody."""

    reason = _reason()


class StaffPauseForm(PauseForm):
    """A pause for somebody."""

    reason = _reason()


class RefundForm(Form):
    """How much goes back. It is looked at once more (`confirmed`) before the money moves."""

    amount = StringField(
        _l("How much goes back"),
        validators=[
            InputRequired(_l("Please type an amount.")),
            Length(max=20, message=_l("This is too long for an amount.")),
        ],
    )
    reason = _reason()
    confirmed = HiddenField()
    form_token = HiddenField()

    def to_money(self, left: Money) -> Money | None:
        """The amount, at most what is `left`; None where it cannot be, which then stands at its field."""
        try:
            amount = Money.parse(self.amount.data or "", left.currency)
        except ValueError:
            self.amount.errors = [_("Please type an amount in figures, such as 12 or 12.50.")]
            return None
        if not 0 < amount.minor <= left.minor:
            self.amount.errors = [_("At most %(amount)s can go back.", amount=money_short(left))]
            return None
        return amount


class CompForm(Form):
    """Until when somebody is a patron without paying."""

    until = StringField(
        _l("Until the end of"),
        validators=[InputRequired(_l("Please choose a day.")), Length(max=10, message=_l("Please choose a day."))],
    )
    reason = _reason()
    form_token = HiddenField()

    def to_moment(self) -> datetime:
        """The end of that day in the newsroom's zone; InvalidInput `comp_end` for what is no day."""
        try:
            day = date.fromisoformat(self.until.data or "") + timedelta(days=1)
        except (ValueError, OverflowError) as error:
            raise InvalidInput("comp_end", "Please choose a day.", field="until") from error
        return datetime.combine(day, time(), ZoneInfo(settings().newsroom_zone)).astimezone(UTC)

    def explain(self, error: InvalidInput) -> None:
        """Put what the rules found beside the field that it is about."""
        if error.field == "until":
            self.until.errors = [_("Please choose a day from today to two years ahead.")]
        else:
            self.reason.errors = [_("Please say why: it stays in the history of this person.")]
