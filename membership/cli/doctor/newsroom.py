"""What the doctor says about settings that staff edit: whether what was saved may still be, and what is missing."""

from collections.abc import Iterator

from membership.cli.doctor.finding import Finding, fine, note, problem
from membership.newsroom import queries
from membership.newsroom.queries.snapshot import current


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
                f"The settings “{subject.value}” that staff saved can no longer be as they are: {places}.",
                "They were right when they were saved; the style sheet or this program has changed since.",
                f"Open {queries.settings_url(subject.value)} and save them anew.",
            )
    yield from _unpriced()
    if not any(wrong.values()):
        yield fine("saved_settings", f"Staff have saved {len(found.saved)} of {len(found.values)} pages of settings.")
    if found.names.contact is None:
        yield note(
            "contact",
            "No page says where readers can write to.",
            "Who has a question about money finds nobody to ask.",
            f"Set CONTACT_ADDRESS, or open {queries.settings_url('names')}.",
        )


def _unpriced() -> Iterator[Finding]:
    """A newsroom that takes a currency out of CUP_PRICES leaves running support without the price of a cup."""
    known = set(queries.priced_currencies())
    for currency, n in sorted(queries.outlook().n_running().items()):
        if currency not in known:
            yield problem(
                "currency_without_price",
                f"{n} running support{'s are' if n > 1 else ' is'} in {currency}, which has no price here.",
                "Their givers cannot change the amount.",
                f"Put {currency} back into CUP_PRICES, or add it at {queries.settings_url('prices')}.",
            )
