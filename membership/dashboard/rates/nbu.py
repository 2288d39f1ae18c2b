"""The official rates of the National Bank of Ukraine, as JSON.

Source: https://bank.gov.ua/en/open-data/api-dev ("statdirectory/exchange?json"): a list of objects with `cc` (the
currency), `rate` (what one unit of it costs in hryvnias) and `exchangedate` (DD.MM.YYYY).
"""

import json
from typing import Any

from membership.dashboard.rates.parts import day, quote, unreadable
from membership.dashboard.rules.rates import Quote


def read(raw: bytes) -> list[Quote]:
    """Every quote of the file; InvalidInput where it is none of that kind."""
    try:
        rows: Any = json.loads(raw, parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise unreadable(f"The file is damaged, or no JSON: {error}.") from error
    if not isinstance(rows, list) or not rows:
        raise unreadable("This is JSON, but not the rates of the National Bank of Ukraine.")
    found = [_quote(row) for row in rows]
    return [each for each in found if each is not None]


def _quote(row: Any) -> Quote | None:
    try:
        code, rate, on = str(row["cc"]), str(row["rate"]), str(row["exchangedate"])
    except (KeyError, TypeError):
        raise unreadable("This is JSON, but not the rates of the National Bank of Ukraine.") from None
    return None if code == "UAH" else quote("nbu", day(on), code, "UAH", rate)
