"""What the settings ask of the rooms above, which `wiring` hands in; they are told of every change."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Saved:
    """A setting was saved. `before` and `after` are its values as plain JSON; `after` is None where the environment
    counts again. `actor` is "staff:<public id>"; `back_to` the number of the version that somebody went back to.
    """

    subject: str
    number: int
    before: Mapping[str, Any]
    after: Mapping[str, Any] | None
    actor: str
    at: datetime
    back_to: int | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What lies beyond the settings. All of it only counts and names; nothing here is written.

    `n_running`: currency -> supports that will be charged again. `n_awaited`: way -> announced gifts that have not
    come. `n_readers`: language -> people whose mails are in it. `n_patrons`: now. `monthly_gifts`: currency -> minor
    units a month of what runs. `least_charges`: currency -> the least that the payment company charges, minor units.
    `name_staff`: actors -> how colleagues call them; whoever left is missing.
    """

    n_running: Callable[[], Mapping[str, int]]
    n_awaited: Callable[[datetime], Mapping[str, int]]
    n_readers: Callable[[], Mapping[str, int]]
    n_patrons: Callable[[datetime], int]
    monthly_gifts: Callable[[], Mapping[str, int]]
    least_charges: Mapping[str, int]
    name_staff: Callable[[Collection[str]], Mapping[str, str]]
    # Told of every change inside its transaction, in this order: here an audit log listens.
    listeners: tuple[Callable[[Saved], None], ...]
