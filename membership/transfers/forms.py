"""What readers type who announce a transfer, and what staff type at the desk of statements."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, DateField, HiddenField, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import InputRequired, Length

from membership.accounts.rules import canonical_email
from membership.contributions.forms import ContributeForm
from membership.contributions.rules import clean_public_name, gift_from
from membership.contributions.services.declaring import Gift
from membership.kernel.errors import InvalidInput
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.newsroom.rules import Offer
from membership.transfers.rules.reasons import LONGEST_REASON
from membership.transfers.statements.mappings import DATE_FORMS, DELIMITERS, ENCODINGS, Mapping
from membership.web.forms import Form
from membership.web.i18n import current_locale

WAY_WORDS = {
    "bank": _l("Bank transfer"),
    "paypal": "PayPal",
    "crypto": _l("Crypto currency"),
    "cash": _l("Cash"),
}


class AnnounceForm(ContributeForm):
    """"I will transfer": the ask's own form, with a way instead of the card fee."""  # fmt: skip

    covers_fees = None  # type: ignore[assignment]  # WTForms leaves a field out that is None
    way = RadioField(_l("How will it come"), validators=[InputRequired(_l("Please choose how it will come."))])

    def offer_ways(self, ways: Sequence[str]) -> "AnnounceForm":
        """Let these ways be chosen; the form itself."""
        self.way.choices = [SelectChoice(way, WAY_WORDS[way]) for way in ways]
        return self

    def to_gift(self, offer: Offer, person_id: int | None) -> Gift:
        """What this (valid) form announces; InvalidInput naming the field for what cannot be."""
        return Gift(
            way=self.way.data,
            amount=gift_from(offer, self.rhythm_word, self.cups.data, self.amount.data or ""),
            cup=offer.cup,
            email=canonical_email(self.email.data or ""),
            public_name=clean_public_name(self.public_name.data or ""),
            locale=current_locale(),
            person_id=person_id,
        )

    @property
    def rhythm_word(self) -> Rhythm:
        """How often the giver means to send it."""
        return Rhythm(self.rhythm.data)


class ExplainedForm(Form):
    """A form of the desk, beside whose fields stands what rules and services refuse."""

    def explain(self, error: InvalidInput) -> None:
        """Put an error beside the field that it is about."""
        field = self._fields.get(error.field or "") or next(iter(self))
        field.errors = [*field.errors, _(error.message)]


class UploadForm(ExplainedForm):
    """A statement."""

    file = FileField(_l("Statement"), validators=[FileRequired(_l("Please choose a file."))])
    mapping = SelectField(_l("What it is"), validators=[])
    is_trial = BooleanField(_l("Only try: say what would happen, write nothing"))

    def offer_mappings(self, names: Sequence[str]) -> "UploadForm":
        """Let these mappings be chosen, beside camt.053; the form itself."""
        tables = [SelectChoice(name, _("Table (CSV): %(name)s", name=name)) for name in names]
        self.mapping.choices = [SelectChoice("", _("camt.053 (XML of a bank)")), *tables]
        return self


class ConfirmForm(Form):
    """Which suggestions are right."""

    line = SelectMultipleField(coerce=int, validate_choice=False)


class AssignForm(ExplainedForm):
    """Whose money a line is."""

    email = StringField(
        _l("Address of the giver"), validators=[InputRequired(_l("Please type an address.")), Length(max=320)]
    )


class ReceiptForm(ExplainedForm):
    """Which payment went back."""

    receipt = StringField(
        _l("Number of the receipt"),
        validators=[InputRequired(_l("Please type a number such as 2027-000042.")), Length(max=20)],
    )


class ReasonForm(ExplainedForm):
    """Why staff do something."""

    reason = StringField(_l("Reason"), validators=[Length(max=4 * LONGEST_REASON)])


class GiveBackForm(ReasonForm):
    """What was sent back to a giver."""

    amount = StringField(
        _l("Amount sent back"), validators=[InputRequired(_l("Please type an amount.")), Length(max=20)]
    )
    day = DateField(_l("On"), validators=[InputRequired(_l("Please choose a day, such as 2027-03-31."))])
    form_token = HiddenField()


class HandForm(ReasonForm):
    """A gift that no statement tells of."""

    way = SelectField(_l("How it came"), choices=[SelectChoice(way, words) for way, words in WAY_WORDS.items()])
    amount = StringField(_l("Amount"), validators=[InputRequired(_l("Please type an amount.")), Length(max=20)])
    currency = SelectField(_l("Currency"))
    day = DateField(_l("On"), validators=[InputRequired(_l("Please choose a day, such as 2027-03-31."))])
    email = StringField(_l("Address of the giver"), validators=[Length(max=320)])
    code = StringField(_l("Or the code of an announcement"), validators=[Length(max=30)])
    form_token = HiddenField()

    def offer_currencies(self, codes: Sequence[str]) -> "HandForm":
        """Let these currencies be chosen; the form itself."""
        self.currency.choices = [SelectChoice(code, code) for code in codes]
        return self

    def money(self) -> Money:
        """The amount; InvalidInput where it is none."""
        return money_from(self.amount.data or "", self.currency.data)


class MappingForm(ExplainedForm):
    """How the table of a bank is to be read."""

    mapping_name = StringField(_l("Name"), validators=[InputRequired(_l("Please type a name.")), Length(max=60)])
    way = SelectField(
        _l("Where the money lies"), choices=[SelectChoice(way, WAY_WORDS[way]) for way in ("bank", "paypal")]
    )
    delimiter = SelectField(_l("Between two columns"), choices=[SelectChoice(each, each) for each in DELIMITERS])
    encoding = SelectField(_l("Encoding"), choices=[SelectChoice(each, each) for each in ENCODINGS])
    decimal = SelectField(_l("Before the cents"), choices=[SelectChoice(each, each) for each in (",", ".")])
    date_form = SelectField(_l("A day looks like"), choices=[SelectChoice(*each) for each in DATE_FORMS.items()])
    date = StringField(_l("Column: day"), validators=[Length(max=80)])
    amount = StringField(_l("Column: amount, or money in"), validators=[Length(max=80)])
    amount_out = StringField(_l("Column: money out"), validators=[Length(max=80)])
    currency = StringField(_l("Column: currency"), validators=[Length(max=80)])
    currency_is = StringField(_l("Or the one currency"), validators=[Length(max=3)])
    texts = StringField(_l("Columns: what the payer wrote (with commas)"), validators=[Length(max=300)])
    name = StringField(_l("Column: name of the payer"), validators=[Length(max=80)])
    account = StringField(_l("Column: account of the payer"), validators=[Length(max=80)])
    own_id = StringField(_l("Column: the bank's own id of the movement"), validators=[Length(max=80)])

    def to_mapping(self) -> Mapping:
        """The mapping that it says, not checked yet."""
        plain = ("way", "delimiter", "encoding", "decimal", "date_form", "date", "amount", "amount_out", "currency")
        values: dict[str, Any] = {
            name: (self[name].data or "").strip() for name in (*plain, "name", "account", "own_id")
        }
        texts = tuple(each.strip() for each in (self.texts.data or "").split(",") if each.strip())
        return Mapping(**values, currency_is=(self.currency_is.data or "").strip().upper(), texts=texts)


def money_from(text: str, currency: str) -> Money:
    """What staff typed as an amount above zero; InvalidInput where it is none."""
    try:
        found = Money.parse(text, currency)
    except ValueError as error:
        raise InvalidInput(
            "not_an_amount", "Please type an amount in figures, such as 12 or 12.50.", field="amount"
        ) from error
    if not found.minor:
        raise InvalidInput("not_an_amount", "Please type an amount above zero.", field="amount")
    return found


def check_day(on: date | None, today: date) -> date:
    """A day on which money can have moved; InvalidInput for one that is still to come."""
    if on is None or on > today:
        raise InvalidInput("day_ahead", "This day is still to come.", field="day")
    return on
