"""The form of the newsroom's own colours."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, StringField

from membership.newsroom.forms.base import TYPED, SettingForm, all_of
from membership.newsroom.rules.colours import SCHEMES, Colours, Palette
from membership.newsroom.rules.contrast import read_colour
from membership.newsroom.rules.faults import Fault
from membership.newsroom.rules.prices import Prices

NAMES = ("accent", "strong", "ink")


class ColoursForm(SettingForm):
    """The newsroom's own colours. Made by `of`. `take` is pressed to take a shade that was offered: "path=#rrggbb"."""

    take = HiddenField()
    # Name of a field -> the nearest shade that has enough contrast.
    shades: Mapping[str, str] = {}

    @classmethod
    def of(cls, prices: Prices, **options: Any) -> Self:
        """The form with the three colours of each scheme."""
        del prices
        words = {
            "accent": _l("Accent"),
            "strong": _l("Accent when it is pointed at"),
            "ink": _l("Words on the accent"),
        }
        fields = {
            f"{scheme}-{name}": StringField(label, validators=[TYPED])
            for scheme in SCHEMES
            for name, label in words.items()
        }
        return type("ColoursFormOfToday", (cls,), fields)(**options)  # type: ignore[no-any-return]

    def show(self, values: Colours) -> Self:
        """Fill in these colours; empty where none is set."""
        for path, value in values.leaves().items():
            self[path.replace(".", "-")].data = value or ""
        return self

    def values(self) -> Colours:
        """What was typed, as #rrggbb."""
        self._take()
        return Colours(*(Palette(*all_of(*(self._reader(scheme, name) for name in NAMES))) for scheme in SCHEMES))

    def explain(self, faults: Iterable[Fault]) -> None:
        """Beside what is wrong stands the shade that would be right."""
        known = tuple(faults)
        super().explain(known)
        self.shades = {
            self.place_of(fault.path).name: shade for fault in known if (shade := fault.details.get("nearest"))
        }

    def _take(self) -> None:
        name, _, colour = str(self.take.data or "").partition("=")
        if name in self and name not in {"take", "base"}:
            self[name].data = colour

    def _reader(self, scheme: str, name: str) -> Any:
        return lambda: self._colour(f"{scheme}-{name}")

    def _colour(self, name: str) -> str | None:
        typed = self.text(name)
        try:
            return read_colour(typed) if typed is not None else None
        except ValueError as error:
            raise self.wrong(name, "not_a_colour") from error
