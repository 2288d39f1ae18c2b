"""The European Central Bank's reference rates, daily or a history, as XML.

Source: https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates ("eurofxref"): one `Cube
time` per day, within it one `Cube currency rate` per currency: what one euro costs in it.
"""

from membership.dashboard.rates.parts import day, quote, unreadable
from membership.dashboard.rules.rates import Quote
from membership.transfers.statements.lines import UnreadableStatement
from membership.transfers.statements.xml import parse


def read(raw: bytes) -> list[Quote]:
    """Every quote of the file; InvalidInput where it is none of that kind."""
    try:
        root, _ = parse(raw)
    except UnreadableStatement as error:
        raise unreadable(error.message) from error
    days = [cube for cube in root.all("Cube/Cube") if "time" in cube.attributes]
    if root.name != "Envelope" or not days:
        raise unreadable("This is XML, but not the rates of the European Central Bank.")
    found = [
        quote("ecb", day(of_day.attributes["time"]), "EUR", of.get("currency", ""), of.get("rate", ""))
        for of_day in days
        for of in (cube.attributes for cube in of_day.all("Cube"))
    ]
    return [each for each in found if each is not None]
