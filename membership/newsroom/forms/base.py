"""What every form of the settings can do: show values, read them back, and say at each field what is wrong."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Self, cast

from flask_babel import lazy_gettext as _l
from wtforms import Field, HiddenField
from wtforms.validators import Length

from membership.kernel.money import Money
from membership.newsroom.forms.words import sentence
from membership.newsroom.rules.faults import Fault
from membership.newsroom.rules.prices import Prices
from membership.newsroom.rules.subjects import Values
from membership.web.forms import Form

TYPED = Length(max=2_000, message=_l("This is too long."))
# Fields that say nothing about the setting itself.
NO_VALUES = frozenset({"base", "csrf_token", "take"})


class SettingForm(Form):
    """The form of one setting. A field is called as the path of its value, with "-" for "."."""

    # Faults that are about several values -> the field that they stand at.
    PLACES: ClassVar[Mapping[str, str]] = {}

    # The number of the version that was looked at; it travels through the pages until it is saved.
    base = HiddenField()

    @classmethod
    def of(cls, prices: Prices, **options: Any) -> Self:
        """The form where these currencies are known; `options` are those of any form."""
        del prices
        return cls(**options)

    def show(self, values: Any) -> Self:
        """Fill in these values; the form itself."""
        raise NotImplementedError

    def values(self) -> Any:
        """What was typed, as values; where something cannot be read, it says so at its field and raises ValueError."""
        raise NotImplementedError

    def read(self, check: Callable[[Values], list[Fault]], now: Values) -> Values | None:
        """What was typed, checked; None where something is wrong, all of which then stands at its fields."""
        is_valid = self.validate()
        found: Values | None = None
        try:
            found = self.values()
        except ValueError:
            is_valid, found = False, self._readable(now)
        faults = check(found) if found is not None else []
        self.explain(faults)
        return found if is_valid and not faults else None

    def _readable(self, now: Values) -> Values | None:
        """What was typed, with what counts now in the place of what cannot be read: so the rest is checked as well."""
        known = self._other().show(now)
        typed = {field.name: field.data for field in self if field.errors and field.name in known}
        try:
            for name in typed:
                self[name].data = known[name].data
            return cast("Values", self.values())
        except ValueError:
            return None
        finally:
            for name, data in typed.items():
                self[name].data = data

    def explain(self, faults: Iterable[Fault]) -> None:
        """Put what the rules found beside the fields that it is about."""
        for fault in faults:
            field = self.place_of(fault.path)
            if not field.errors:
                field.errors = [sentence(fault)]

    def place_of(self, path: str) -> Field:
        """The field of a path."""
        name = self.PLACES.get(path, path.replace(".", "-"))
        found: Field = self._fields.get(name) or next(field for field in self if field.name not in NO_VALUES)
        return found

    @property
    def base_number(self) -> int:
        """The number of the version that was looked at; 0 for whatever is no number."""
        typed = str(self.base.data or "")
        return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= 9 else 0  # noqa: PLR2004

    def echo(self) -> list[tuple[str, str]]:
        """What stands in the form, as names and values of hidden fields: what was looked at is what is saved."""
        shown = [(field.name, field.data) for field in self if field.name not in NO_VALUES and field.data]
        return [(name, "y" if value is True else str(value)) for name, value in shown]

    def mend(self, base: Values, now: Values) -> list[str]:
        """Take over what somebody else changed from `base` to `now` where this form was left as it was; their names.

        So the second of two people overwrites only what they touched themselves.
        """
        was, becomes = self._other().show(base), self._other().show(now)
        taken = [
            field.name
            for field in self
            if field.name not in NO_VALUES
            and field.name in was
            and field.data == was[field.name].data
            and field.data != becomes[field.name].data
        ]
        for name in taken:
            self[name].data = becomes[name].data
        return taken

    def _other(self) -> Self:
        return type(self)(formdata=None)

    def wrong(self, name: str, code: str, **details: Any) -> ValueError:
        """Say at a field that what was typed there cannot be read; the error to raise."""
        field = self[name]
        field.errors = [*field.errors, sentence(Fault(name, code, details))]
        return ValueError(code)

    def text(self, name: str) -> str | None:
        """What was typed, without spaces around it; None for nothing."""
        return (self[name].data or "").strip() or None

    def minor(self, name: str, currency: str, empty: int | None) -> int:
        """An amount in minor units; `empty` for nothing, which is a mistake where that is None."""
        typed = self.text(name)
        if typed is None:
            if empty is None:
                raise self.wrong(name, "not_an_amount", currency=currency)
            return empty
        try:
            return Money.parse(typed, currency).minor
        except ValueError as error:
            raise self.wrong(name, "not_an_amount", currency=currency) from error

    def whole(self, name: str) -> int:
        """A whole number from 0 to a thousand million."""
        typed = "".join((self[name].data or "").split())
        if not (typed.isascii() and typed.isdecimal() and len(typed) <= 9):  # noqa: PLR2004
            raise self.wrong(name, "not_a_number")
        return int(typed)


def all_of(*readers: Callable[[], Any]) -> list[Any]:
    """What each of them reads; ValueError after all were asked, so that every mistake stands at its field at once."""
    found, failed = [], False
    for reader in readers:
        try:
            found.append(reader())
        except ValueError:
            failed = True
    if failed:
        raise ValueError("Something cannot be read.")
    return found


def written(minor: int, currency: str) -> str:
    """An amount as a field shows it: "4.00"."""
    return str(Money(minor, currency).amount)
