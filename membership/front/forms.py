"""What staff type about people: always a reason, and what the action needs besides."""

from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, ValidationError

from membership.contributions.forms import ActForm, ConfirmChangeForm, PauseForm
from membership.front.rules.filters import Filter, read_filter
from membership.front.rules.naming import LONGEST_NAME
from membership.front.rules.runs import MOST_MONTHS, MOST_PEOPLE, What
from membership.front.services.runs import Chosen, Plan
from membership.kernel.errors import InvalidInput
from membership.kernel.money import Money
from membership.kernel.words import one_line
from membership.web import settings
from membership.web.filters import decimal, money_short
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
            Length(max=LONGEST_REASON, message=_l("Please use at most %(n)s characters.", n=LONGEST_REASON)),
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


# Lists of people ----------------------------------------------------------------------------------------

LONGEST_FILTER = 1000


class FilterForm(Form):
    """A form that acts on whom a filter finds; the filter travels in it as a page wrote it."""

    filter = HiddenField()

    def to_filter(self) -> Filter:
        """The filter. InvalidInput `filter_odd` where some of it is not understood: less of it would be more people."""
        text = self.filter.data or ""
        wanted, odd = read_filter(dict(parse_qsl(text[:LONGEST_FILTER])))
        if odd or len(text) > LONGEST_FILTER:
            raise InvalidInput("filter_odd", "This list is not understood. Open it again.")
        return wanted


class SegmentForm(FilterForm):
    """A name for the filter that is shown."""

    name = StringField(_l("Keep this filter as"))


class TagForm(Form):
    """A tag for one person."""

    name = StringField(_l("Tag"))


class ManyForm(FilterForm):
    """Something for many people: those who are ticked, or everybody whom the filter finds."""

    scope = HiddenField()
    who = SelectMultipleField(validate_choice=False)
    # The button that was pressed.
    what = HiddenField()
    months = StringField(_l("Months"))
    tag = StringField(_l("Tag"))

    def to_plan(self) -> Plan:
        """What is to be done; InvalidInput for what is none, and `months_odd`."""
        if self.what.data not in set(What):
            raise InvalidInput("what_odd", "Please press one of the buttons.")
        text = (self.months.data or "").strip()
        months = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_MONTHS)) else 0
        return Plan(What(self.what.data), months, self.tag.data or "")

    def to_chosen(self) -> Chosen:
        """For whom."""
        is_all = self.scope.data == "all"
        return Chosen(self.to_filter(), None if is_all else tuple(self.who.data or ()))


class StartForm(Form):
    """Why, where it stands in histories; the rest is settled."""

    reason = StringField(
        _l("The reason"),
        filters=[lambda text: one_line(text or "")],
        validators=[
            Length(max=LONGEST_REASON, message=_l("Please use at most %(n)s characters.", n=LONGEST_REASON)),
            _no_address,
        ],
    )


def problem_words(error: InvalidInput) -> str:
    """What was wrong with what staff asked for many people, or named."""
    words = {
        "name_missing": _("Please type a name."),
        "name_too_long": _("Please use at most %(n)s characters.", n=LONGEST_NAME),
        "name_is_address": _("Please leave addresses out of names."),
        "segment_empty": _("This is everybody: choose a filter first, then give it a name."),
        "nobody_chosen": _("Nobody is chosen: tick some people, or take all that are found."),
        "too_many_chosen": _(
            "These are more than %(num)s people. Choose a narrower filter.", num=decimal(MOST_PEOPLE, 0)
        ),
        "months_odd": _("Please type a number of months from 1 to %(most)s.", most=MOST_MONTHS),
        "no_reason": _("Please say why: it stays in the history of these people."),
    }
    return str(words.get(error.code, _("This list is not understood. Open it again.")))
