"""What the doctor says about settings that staff edit: whether what was saved may still be, and what is missing."""

from collections.abc import Iterator

from membership.kernel.said import said
from membership.newsroom import queries
from membership.newsroom.queries.snapshot import current
from membership.operations.examining.finding import Finding, fine, note, problem


def examine() -> Iterator[Finding]:
    """Every finding about saved settings, and about support that runs in a currency that has no price."""
    found = current()
    bounds = queries.bounds()
    wrong = {subject: found.values[subject].faults(bounds) for subject in found.saved}
    for subject, faults in wrong.items():
        if faults:
            places = ", ".join(sorted({fault.path for fault in faults}))
            yield problem(
                "saved_settings",
                said(
                    "The settings “%(subject)s” that staff saved can no longer be as they are: %(places)s.",
                    subject=subject.value,
                    places=places,
                ),
                said("They were right when they were saved; the style sheet or this program has changed since."),
                said("Open %(page)s and save them anew.", page=queries.settings_url(subject.value)),
            )
    yield from _unpriced()
    if not any(wrong.values()):
        n, most = len(found.saved), len(found.values)
        yield fine("saved_settings", said("Staff have saved %(n)s of %(most)s pages of settings.", n=n, most=most))
    if found.names.contact is None:
        yield note(
            "contact",
            said("No page says where readers can write to."),
            said("Who has a question about money finds nobody to ask."),
            said("Set CONTACT_ADDRESS, or open %(page)s.", page=queries.settings_url("names")),
        )


def _unpriced() -> Iterator[Finding]:
    """A newsroom that takes a currency out of CUP_PRICES leaves running support without the price of a cup."""
    known = set(queries.priced_currencies())
    for currency, n in sorted(queries.outlook().n_running().items()):
        if currency not in known:
            yield problem(
                "currency_without_price",
                said("Support runs in %(currency)s (%(n)s in all), which has no price here.", currency=currency, n=n),
                said("Its givers cannot change the amount."),
                said(
                    "Put %(currency)s back into CUP_PRICES, or add it at %(page)s.",
                    currency=currency,
                    page=queries.settings_url("prices"),
                ),
            )
