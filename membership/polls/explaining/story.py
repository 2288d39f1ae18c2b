"""The story of a count: who won, what each round decided, and by how much the others missed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from string import ascii_uppercase

from membership.polls.counting.result import Count, Round
from membership.polls.explaining.amounts import Amount, digits_for
from membership.polls.explaining.bars import MOST_BARS, MOST_BARS_FOLDED, Bars, Mark, draw_bars
from membership.polls.explaining.duels import Duels, duels_of
from membership.polls.explaining.flow import NOBODY, Flow, Stage, draw_flow
from membership.polls.explaining.shares import Budget, Purchase, Weight, budget_of, purchase_of, weights_of

# The chart palette of tokens.css; a topic beyond it is drawn in grey and known by its letter.
N_TONES = 8
# Rounds that are shown at once; of a longer count only those that chose somebody are, the others one tap away.
MOST_OPEN_ROUNDS = 6


@dataclass(frozen=True)
class TopicKey:
    """How a topic is known in every picture of the page: a letter and a tone (1 to 8; 0: grey)."""

    letter: str
    tone: int


@dataclass(frozen=True)
class Move:
    """Votes that moved at the end of a round; `target` None: their ballots named nobody else."""

    source: int
    target: int | None
    amount: Amount


@dataclass(frozen=True)
class TieStory:
    """Topics that were equal at `amount` (None where the round has no totals for them), and what decided."""

    options: tuple[int, ...]
    chosen: tuple[int, ...]
    is_by_lot: bool
    amount: Amount | None

    @property
    def is_about_order_only(self) -> bool:
        """Whether all of them were taken, so that only their order hung on it."""
        return set(self.options) == set(self.chosen)


@dataclass(frozen=True)
class Row:
    """One topic in the table behind a picture."""

    option: int
    amount: Amount
    change: Amount | None
    mark: Mark


@dataclass(frozen=True)
class Step:
    """One round. `elected` and `eliminated` were decided in it, `note` is the counting's own word for how.

    `bars` is its picture, `rows` the table behind it; `moves` is what left at its end, largest first. `is_open`
    says whether the page shows it without a tap. `weights` are SPAV's, and so is `overtaken`: the topic that had
    more ticks than the one chosen, and less weight. `purchase` is of equal shares.
    """

    n: int
    note: str | None
    elected: tuple[int, ...]
    eliminated: tuple[int, ...]
    totals: Mapping[int, Amount]
    bars: Bars
    rows: tuple[Row, ...]
    moves: tuple[Move, ...]
    ties: tuple[TieStory, ...]
    is_open: bool
    weights: tuple[Weight, ...]
    overtaken: int | None
    purchase: Purchase | None


@dataclass(frozen=True)
class Missed:
    """A topic that was not chosen, and by how much."""

    option: int
    by: Amount


@dataclass(frozen=True)
class Story:
    """Everything that the page of a result says about its count.

    `keys` names every option of the count; `order` is winners first, then who moves up next.
    """

    rule: str
    version: str
    n_seats: int
    n_ballots: int
    n_blank: int
    winners: tuple[int, ...]
    order: tuple[int, ...]
    keys: Mapping[int, TopicKey]
    n_tones: int
    steps: tuple[Step, ...]
    flow: Flow | None
    quota: Amount | None
    budget: Budget | None
    missed: tuple[Missed, ...]
    duels: Duels | None


def explain(count: Count) -> Story:
    """The story of `count`."""
    values = [[Fraction(total) for total in each.totals.values()] for each in count.rounds]
    values.append([transfer.votes for each in count.rounds for transfer in each.transfers])
    write = partial(Amount, digits=digits_for(values))
    return Story(
        rule=count.rule,
        version=count.version,
        n_seats=count.n_seats,
        n_ballots=count.n_ballots,
        n_blank=count.n_blank,
        winners=count.winners,
        order=count.order,
        keys={option: TopicKey(_letter(place), _tone(place)) for place, option in enumerate(_everybody(count))},
        n_tones=N_TONES,
        steps=tuple(_step(count, index, write) for index in range(len(count.rounds))),
        flow=_flow(count) if count.rule == "stv" else None,
        quota=None if count.quota is None else write(Fraction(count.quota)),
        budget=budget_of(count),
        missed=_missed(count),
        duels=duels_of(count),
    )


def _everybody(count: Count) -> list[int]:
    """All options in order of the result; a count without a breakdown names the winners alone."""
    return [*count.order, *(option for option in range(len(count.options)) if option not in count.order)]


def _letter(place: int) -> str:
    """A, B, … Z, AA, AB and so on."""
    first, second = divmod(place, len(ascii_uppercase))
    return (ascii_uppercase[first - 1] if first else "") + ascii_uppercase[second]


def _tone(place: int) -> int:
    return place + 1 if place < N_TONES else 0


def _step(count: Count, index: int, write: "partial[Amount]") -> Step:
    each = count.rounds[index]
    totals = _exact(each)
    # The last rounds of equal shares count ticks instead: there is nothing to compare them with.
    is_comparable = index > 0 and (count.rule == "stv" or count.rounds[index - 1].note == each.note)
    before = _exact(count.rounds[index - 1]) if is_comparable else None
    marks = _marks(count.rounds[: index + 1])
    is_open = len(count.rounds) <= MOST_OPEN_ROUNDS or bool(each.elected)
    bars = draw_bars(
        totals,
        write,
        count.order,
        marks=marks,
        before=before,
        line_at=None if count.quota is None else Fraction(count.quota),
        always=(*each.elected, *each.eliminated),
        most=MOST_BARS if is_open else MOST_BARS_FOLDED,
    )
    return Step(
        n=each.n,
        note=each.note,
        elected=each.elected,
        eliminated=each.eliminated,
        totals={option: write(total) for option, total in totals.items()},
        bars=bars,
        rows=_rows(totals, before, marks, count.order, write),
        moves=_moves(each, write),
        ties=_ties(count, each, totals, write),
        is_open=is_open,
        weights=weights_of(each),
        overtaken=_overtaken(count, each) if count.rule == "spav" else None,
        purchase=purchase_of(each.more),
    )


def _overtaken(count: Count, each: Round) -> int | None:
    """Who would have come next by ticks alone; None where that is the one that was chosen."""
    ticks = {option: Fraction(count.rounds[0].totals[option]) for option in each.totals}
    leader = max(ticks, key=lambda option: (ticks[option], -count.order.index(option)), default=None)
    if leader is None or not each.elected or ticks[leader] <= ticks[each.elected[0]]:
        return None
    return leader


def _exact(each: Round) -> dict[int, Fraction]:
    return {option: Fraction(total) for option, total in each.totals.items()}


def _marks(rounds: Sequence[Round]) -> dict[int, Mark]:
    """What is decided about each topic after the last of `rounds`."""
    marks: dict[int, Mark] = {option: "in" for each in rounds[:-1] for option in each.elected}
    marks.update(dict.fromkeys(rounds[-1].elected, "won"))
    marks.update(dict.fromkeys(rounds[-1].eliminated, "out"))
    return marks


def _rows(
    totals: Mapping[int, Fraction],
    before: Mapping[int, Fraction] | None,
    marks: Mapping[int, Mark],
    order: Sequence[int],
    write: "partial[Amount]",
) -> tuple[Row, ...]:
    place = {option: place for place, option in enumerate(order)}
    ranked = sorted(totals, key=lambda option: (-totals[option], place[option]))
    changes = {option: totals[option] - (before or totals).get(option, totals[option]) for option in ranked}
    return tuple(
        Row(option, write(totals[option]), write(changes[option]) if before else None, marks.get(option, ""))
        for option in ranked
    )


def _moves(each: Round, write: "partial[Amount]") -> tuple[Move, ...]:
    """Largest first; what went to nobody last."""
    return tuple(
        Move(transfer.source, transfer.target, write(Fraction(transfer.votes)))
        for transfer in sorted(each.transfers, key=lambda one: (one.target is None, -one.votes))
        if transfer.votes
    )


def _ties(count: Count, each: Round, totals: Mapping[int, Fraction], write: "partial[Amount]") -> tuple[TieStory, ...]:
    return tuple(
        TieStory(
            tie.options,
            tie.chosen,
            tie.broken_by == "lot",
            write(totals[tie.options[0]])
            if len({totals.get(option) for option in tie.options}) == 1 and tie.options[0] in totals
            else None,
        )
        for tie in count.ties
        if tie.round == each.n
    )


def _flow(count: Count) -> Flow | None:
    """The drawing of the whole; None where nothing moved, or nobody voted."""
    if len(count.rounds) < 2 or not any(count.rounds[0].totals.values()):  # noqa: PLR2004 - a stream has two ends
        return None
    stages = [
        Stage(
            each.n,
            _exact(each),
            {option: mark for option, mark in _marks([each]).items() if mark},
            [(one.source, NOBODY if one.target is None else one.target, Fraction(one.votes)) for one in each.transfers],
        )
        for each in count.rounds
    ]
    return draw_flow(stages, count.order)


def _missed(count: Count) -> tuple[Missed, ...]:
    """Who was not chosen, nearest first; equals in the order of succession.

    Under stv each is measured in its own last round, so that only the order of succession compares them.
    """
    place = {option: place for place, option in enumerate(count.order)}
    is_comparable = count.rule != "stv"
    by = {option: Fraction(by) for option, by in count.missed_by.items()}
    write = partial(Amount, digits=digits_for([by.values()]))
    return tuple(
        Missed(option, write(by[option]))
        for option in sorted(by, key=lambda one: (is_comparable and by[one], place[one]))
    )
