"""Who is who, as the world sees it: addresses pass from reader to reader, two turn out to be one, some leave."""

from dataclasses import dataclass
from datetime import datetime

from membership.accounts.models import Erasure
from membership.db import db

ADDRESSES = tuple(f"reader{n}@example.org" for n in range(3))


@dataclass(eq=False)
class Reader:
    """Somebody whom the newsroom can know under one address, from the first word of theirs until they are found to be
    somebody else, or forgotten. Then the address is free, and whoever uses it next is another reader.

    `name` is what they type at hosted pages; nobody else ever has it.
    """

    email: str
    name: str
    begun_at: datetime
    over_at: datetime | None = None  # since when the address is free again
    person_id: int | None = None  # known once they are merged or have asked to be forgotten
    is_leaving: bool = False
    forgotten_at: datetime | None = None
    into: "Reader | None" = None

    def by_now(self) -> "Reader":
        """Who they turned out to be."""
        return self.into.by_now() if self.into else self


class Readers:
    """Everybody who ever had one of the addresses, in one history."""

    def __init__(self, begun_at: datetime) -> None:
        self.all: list[Reader] = []
        self.last_used = dict.fromkeys(ADDRESSES, begun_at)  # when somebody typed the address last
        for email in ADDRESSES:
            self._begin(email, begun_at)

    def _begin(self, email: str, at: datetime) -> None:
        number = len(self.all)
        self.all.append(Reader(email, f"Person{number:03d} Namesake{number:03d}", at))

    def holder(self, email: str, at: datetime | None = None) -> Reader:
        """Who had the address at a moment; without one, who has it now."""
        self._see_who_is_forgotten()
        return [r for r in self.all if r.email == email and (at is None or r.begun_at <= at)][-1]

    def use(self, email: str, at: datetime) -> Reader:
        """Somebody types the address now: its holder, or about them."""
        self.last_used[email] = at
        return self.holder(email)

    def merge(self, loser: Reader, loser_id: int, winner: Reader, at: datetime) -> None:
        """The first of them is the second from now on."""
        loser.into, loser.person_id, loser.over_at = winner, loser_id, at
        self._begin(loser.email, at)

    def leave(self, reader: Reader, person_id: int) -> None:
        """They have asked to be forgotten, which takes its time."""
        reader.is_leaving, reader.person_id = True, person_id

    def _see_who_is_forgotten(self) -> None:
        """When an address became free by that, the newsroom's worker decides."""
        for reader in [r for r in self.all if r.is_leaving and r.forgotten_at is None]:
            emptied_at = db.session.get_one(Erasure, reader.person_id, populate_existing=True).emptied_at
            db.session.rollback()
            if emptied_at is not None:
                reader.forgotten_at = reader.over_at = emptied_at
                self._begin(reader.email, emptied_at)

    def find_persons(self, world) -> dict[Reader, int]:
        """The row of everybody who is still somebody, as far as they have one."""
        self._see_who_is_forgotten()
        by_address = {email: person_id for person_id, email in world.rows("SELECT id, email FROM people")}
        found = {r: r.person_id if r.is_leaving else by_address.get(r.email) for r in self.all if r.into is None}
        return {reader: person_id for reader, person_id in found.items() if person_id is not None}
