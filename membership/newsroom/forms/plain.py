"""The forms of goal, names, languages and late money."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self, cast

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs

from membership.kernel.words import one_line
from membership.newsroom.forms.base import TYPED, SettingForm, all_of, written
from membership.newsroom.rules.plain import Goal, Languages, LateMoney, Names
from membership.newsroom.rules.prices import Prices
from membership.web.i18n import LANGUAGES


class GoalForm(SettingForm):
    """What the front page asks for."""

    kind = RadioField(
        _l("What the bar counts"),
        choices=[SelectChoice("patrons", _l("Patrons")), SelectChoice("money", _l("Money a month"))],
    )
    n_patrons = StringField(_l("How many patrons"))
    money_minor = StringField(_l("How much a month"))
    currency = SelectField(_l("In which currency"), validate_choice=False)

    @classmethod
    def of(cls, prices: Prices, **options: Any) -> Self:
        """The form in which the open currencies can be chosen."""
        form = cls(**options)
        form.currency.choices = [SelectChoice(code, code) for code in prices.open_currencies]
        return form

    def show(self, values: Goal) -> Self:
        """Fill in this goal."""
        self.kind.data, self.currency.data = values.kind, values.currency
        self.n_patrons.data = str(values.n_patrons)
        self.money_minor.data = written(values.money_minor, values.currency) if values.money_minor else ""
        return self

    def values(self) -> Goal:
        """What was typed."""
        currency = str(self.currency.data or "")
        if currency not in {choice.value for choice in cast("list[SelectChoice]", self.currency.choices)}:
            raise self.wrong("currency", "goal_currency")
        n_patrons, minor = all_of(lambda: self.whole("n_patrons"), lambda: self.minor("money_minor", currency, empty=0))
        return Goal(str(self.kind.data or ""), n_patrons, minor, currency)


class NamesForm(SettingForm):
    """Name and contact address."""

    name = StringField(_l("Name of the newsroom"), validators=[TYPED])
    contact = StringField(_l("Address for readers' questions"), validators=[TYPED])

    def show(self, values: Names) -> Self:
        """Fill in these names."""
        self.name.data, self.contact.data = values.name, values.contact or ""
        return self

    def values(self) -> Names:
        """What was typed, tidied up."""
        return Names(one_line(self.name.data or ""), self.text("contact"))


class LanguagesForm(SettingForm):
    """Which languages are offered. Made by `of`."""

    PLACES: ClassVar[Mapping[str, str]] = {"offered": f"{next(iter(LANGUAGES))}-is_offered"}

    default = RadioField(
        _l("Where nothing is known of a reader"),
        choices=[SelectChoice(code, name) for code, name in LANGUAGES.items()],
    )

    @classmethod
    def of(cls, prices: Prices, **options: Any) -> Self:
        """The form for the languages that this program speaks."""
        del prices
        fields = {f"{code}-is_offered": BooleanField(name) for code, name in LANGUAGES.items()}
        return type("LanguagesFormOfToday", (cls,), fields)(**options)  # type: ignore[no-any-return]

    def show(self, values: Languages) -> Self:
        """Fill in these languages."""
        for code in LANGUAGES:
            self[f"{code}-is_offered"].data = code in values.offered
        self.default.data = values.default
        return self

    def values(self) -> Languages:
        """What was ticked."""
        offered = tuple(code for code in LANGUAGES if self[f"{code}-is_offered"].data)
        return Languages(offered, str(self.default.data or ""))


class LateForm(SettingForm):
    """Late and doubtful money. Made by `of`, with a field for each currency."""

    known: Prices

    grace_days = StringField(_l("Days of grace"))
    books_certain = BooleanField(_l("Book lines of a statement that are certain without asking"))

    @classmethod
    def of(cls, prices: Prices, **options: Any) -> Self:
        """The form for these currencies."""
        fields: dict[str, Any] = {"known": prices}
        for row in prices.currencies:
            fields[f"{row.currency}-refund_below_minor"] = StringField(
                _l("Give back payments below, in %(currency)s", currency=row.currency)
            )
        return type("LateFormOfToday", (cls,), fields)(**options)  # type: ignore[no-any-return]

    def show(self, values: LateMoney) -> Self:
        """Fill in these values."""
        self.grace_days.data, self.books_certain.data = str(values.grace_days), values.books_certain
        below = dict(values.refund_below)
        for row in self.known.currencies:
            minor = below.get(row.currency, 0)
            self[f"{row.currency}-refund_below_minor"].data = written(minor, row.currency) if minor else ""
        return self

    def values(self) -> LateMoney:
        """What was typed; an empty amount means never."""
        codes = sorted(row.currency for row in self.known.currencies)
        days, *minors = all_of(
            lambda: self.whole("grace_days"),
            *(lambda code=code: self.minor(f"{code}-refund_below_minor", code, empty=0) for code in codes),
        )
        below = tuple((code, minor) for code, minor in zip(codes, minors, strict=True) if minor)
        return LateMoney(days, below, bool(self.books_certain.data))
