"""The shapes of what a giver changes later: other terms, a pause, an end. Every press carries a token of one use."""

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import InputRequired, Length

from membership.contributions.forms.giving import OWN, in_words
from membership.contributions.rules import Terms, choice_of, gift_from
from membership.kernel.errors import InvalidInput
from membership.kernel.money import Money
from membership.kernel.rhythm import Rhythm
from membership.newsroom.rules import CUPS_OFFERED, Offer
from membership.web.filters import day
from membership.web.forms import Form


class _Terms(Form):
    """Amount, rhythm, covered fee. The currency of running support cannot change, so no field names it."""

    rhythm = RadioField(
        _l("How often"),
        choices=[
            SelectChoice(Rhythm.MONTHLY.value, _l("Monthly")),
            SelectChoice(Rhythm.YEARLY.value, _l("Yearly")),
        ],
        validators=[InputRequired(_l("Please choose how often."))],
    )
    cups = RadioField(
        _l("How much"),
        choices=[*(SelectChoice(str(n)) for n in CUPS_OFFERED), SelectChoice(OWN, _l("Another amount"))],
        validators=[InputRequired(_l("Please choose an amount."))],
    )
    amount = StringField(_l("Your amount"), validators=[Length(max=20, message=_l("This is too long for an amount."))])
    covers_fees = BooleanField(_l("Add the card fee, so that the whole gift arrives"))
    seen = HiddenField()  # the prices that were shown: `Offer.mark`

    def to_terms(self, offer: Offer) -> Terms | None:
        """What is wished, in the offer's currency; None where something is wrong, which then stands at its field."""
        if not self.validate():
            return None
        try:
            gift = gift_from(offer, Rhythm(self.rhythm.data), self.cups.data, self.amount.data or "")
        except InvalidInput as error:
            self.explain(error)
            return None
        charge = gift + offer.fee_for(gift) if self.covers_fees.data else gift
        return Terms(gift, charge, offer.cup, Rhythm(self.rhythm.data))

    def explain(self, error: InvalidInput) -> None:
        """Put what the rules found beside the field that it is about, in the reader's language."""
        field = self.amount if error.field == "amount" else self.cups
        words = _("You give this already. Choose another amount, or go back.") if error.code == "no_change" else None
        field.errors = [*field.errors, words or in_words(error)]


class TermsForm(_Terms):
    """The wish, looked at before anything is asked for: it travels in the address and changes nothing."""

    class Meta(Form.Meta):
        """No form token: reading is free."""

        csrf = False

    @classmethod
    def of(cls, terms: Terms, cup: Money) -> "TermsForm":
        """The form as it stands for what is given now, in cups of today's price."""
        choice = choice_of(terms.gift, terms.rhythm, cup)
        return cls(formdata=None, data=choice | {"covers_fees": terms.charge != terms.gift})


class ConfirmChangeForm(_Terms):
    """The same wish once more, with the button that asks for it."""

    form_token = HiddenField()


class ActForm(Form):
    """One button: resume, keep, end."""

    form_token = HiddenField()


class PauseForm(Form):
    """How long to pause. The choices are set by `offer_ends`, each with its day."""

    months = RadioField(
        _l("How long"), coerce=int, validators=[InputRequired(_l("Please choose how long."))], validate_choice=True
    )
    form_token = HiddenField()

    def offer_ends(self, ends: dict[int, datetime]) -> None:
        """Offer these lengths in months, each with the day on which it goes on."""
        self.months.choices = [
            SelectChoice(n, ngettext("%(num)s month, until %(day)s", "%(num)s months, until %(day)s", n, day=day(end)))
            for n, end in ends.items()
        ]


class CancelForm(Form):
    """Why, if they like to say; the button works without."""

    reason = SelectField(
        _l("Why? You need not say."),
        choices=[
            SelectChoice("", _l("I would rather not say")),
            SelectChoice("money", _l("I have to spend less")),
            SelectChoice("news", _l("I read you less often")),
            SelectChoice("politics", _l("I do not agree with your reporting")),
            SelectChoice("other_way", _l("I support you in another way")),
            SelectChoice("technical", _l("Something did not work")),
            SelectChoice("other", _l("Something else")),
        ],
        validate_choice=False,
    )
    words = StringField(_l("In your own words"))
    form_token = HiddenField()
