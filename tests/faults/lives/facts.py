"""Everything that the reckoning goes by, gathered once: Stripe's objects and the notebook, never the product's word."""

from dataclasses import dataclass

from tests.faults.lives import coverage, stripes_view
from tests.faults.lives.notebook import Notebook, Wish
from tests.faults.lives.others_view import Others
from tests.faults.lives.readers import Reader
from tests.faults.lives.stripes_view import Paid
from tests.faults.lives.world import World

MOST_MONTHS = 24


@dataclass
class Facts:
    """Of one history that has come to rest. `persons` has a row id for each reader who is still somebody."""

    notes: Notebook
    persons: dict[Reader, int]
    wishes: dict[str, Wish]  # by the reference of the contribution
    paid: list[Paid]
    others: Others

    @classmethod
    def gather(cls, world: World, notes: Notebook) -> "Facts":
        persons = notes.readers.find_persons(world)
        pages = {page["id"]: page["client_reference_id"] for page in world.at_stripe("checkout.session")}
        wishes = {pages[page_id]: wish for page_id, wish in notes.wishes.items()}
        return cls(notes, persons, wishes, stripes_view.payments(world), Others(notes.account, persons).look())

    def is_forgotten(self, reference: str) -> bool:
        wish = self.wishes.get(reference)
        return wish is not None and wish.reader.by_now().forgotten_at is not None

    def bought(self, order: dict[str, int]) -> dict[Reader, list[coverage.Bought]]:
        """What everybody is covered by. `order` says what was granted first of two things of one moment."""
        found: dict[Reader, list[coverage.Bought]] = {}

        def add(reader, paid_at, name, period, n_months, gone_at):
            bought = coverage.Bought(paid_at, order.get(name, 0), period, n_months, gone_at)
            found.setdefault(reader.by_now(), []).append(bought)

        for paid in self.paid:
            wish, name = self.wishes[paid.reference], f"payment:{paid.id}"
            if not wish.is_for_somebody_else:
                add(wish.reader, paid.paid_at, name, paid.period, _months(wish, paid), paid.gone_at)
            elif redeemed := self.notes.redeemed.get(paid.reference):
                add(redeemed.reader, redeemed.at, name, None, wish.n_months, paid.gone_at)
        for came in self.others.came:
            add(came.reader, came.paid_at, f"payment:{came.id}", None, came.n_months, came.gone_at)
        for comp in self.notes.comps:
            add(comp.reader, comp.at, comp.name, (comp.at, comp.until), 0, comp.gone_at)
        return found


def _months(wish: Wish, paid: Paid) -> int:
    """A month for each whole cup of a gift that was given once; what is given regularly pays for its period."""
    given = wish.gift_minor if paid.minor == wish.charge_minor else paid.minor
    return 0 if paid.period or wish.currency != paid.currency else min(given // wish.cup_minor, MOST_MONTHS)
