"""The table of states as a page of the docs. Pure: text out of `states.TABLE`."""

from collections.abc import Iterable

from membership.contributions.rules.states import TABLE, Action, Exits, MoneyState, State, Who, exits_of

HEAD = """# The states of a contribution

Drawn from the table in `membership/contributions/rules/states.py` by `membership docs states`; do not edit it here.

Money and news decide: an action asks the payment provider, and the state follows from what is then read there. What a
state does not offer is refused with a sentence and changes nothing. Support that was booked by hand (bank, PayPal,
crypto, cash) has no subscription to change, pause or cancel.
"""
MONEY = """## What became of a payment

Not states of the contribution: a running support has many payments, and each may go back. They follow from the books
(`money_state`). A dispute that is lost stays `disputed`: the bank took the money when it began, and nothing more moves.
"""
_MONEY_WORDS = {
    MoneyState.KEPT: "the money is here",
    MoneyState.PARTLY_REFUNDED: "a part went back; coverage stays",
    MoneyState.REFUNDED: "all of it went back; what it covered is revoked",
    MoneyState.DISPUTED: "the bank took it back; what it covered is revoked",
    MoneyState.WON: "it was disputed and came back, and the coverage with it",
}


def draw_states() -> str:
    """The page, in Markdown: a picture in plain text, then a section for each state."""
    return "\n".join([HEAD, *_picture(), *(line for state in State for line in _section(state)), *_money()]) + "\n"


def _picture() -> Iterable[str]:
    yield "```text"
    width = max(len(state) for state in State)
    for state in State:
        news = ", ".join(other for other in State if other in TABLE[state].news)
        yield f"{state.value:<{width}} -> {news or '(nothing: it is over)'}"
    yield "```"
    yield ""


def _section(state: State) -> Iterable[str]:
    row = TABLE[state]
    yield f"## {state.value}"
    yield ""
    yield row.meaning
    yield ""
    for other in State:
        if other in row.news:
            yield f"* news: {row.news[other]} → **{other.value}**"
    for who in Who:
        yield f"* {who.value}: {_actions(state, exits_of(state, who))}"
    yield ""


def _actions(state: State, exits: Exits) -> str:
    return ", ".join(f"{_words(action)}{_ends(state, exits[action])}" for action in Action if action in exits)


def _ends(state: State, ends: frozenset[State]) -> str:
    others = [other.value for other in State if other in ends]
    return "" if others == [state.value] else f" → {' or '.join(others)}"


def _words(action: Action) -> str:
    return action.value.replace("_", " ")


def _money() -> Iterable[str]:
    yield MONEY
    for state in MoneyState:
        yield f"* **{state.value}**: {_MONEY_WORDS[state]}"
