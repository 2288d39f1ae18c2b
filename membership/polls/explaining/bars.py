"""Bars: one per topic, longest first, with a line where it is decided and the marks of what happened.

Only lengths are worked out here, in percent of the widest thing drawn, so that the picture fits every screen.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from membership.polls.explaining.amounts import Amount, percent_of

# A picture with more bars than this tells less; what is left out stands in the table behind it.
MOST_BARS = 10
# In a round that chose nobody, of a count so long that such rounds are folded.
MOST_BARS_FOLDED = 6
NONE = "0%"

# What a round decided about a topic: chosen now, chosen before, dropped now, or nothing.
Mark = Literal["won", "in", "out", ""]


@dataclass(frozen=True)
class Bar:
    """One topic: `kept` is the length of what it has and had before, `gained` of what came in since the round
    before, `lost` of what it had then and has no more. `change` is that gain or loss as a number, or None.
    """

    option: int
    amount: Amount
    mark: Mark
    kept: str
    gained: str = NONE
    lost: str = NONE
    change: Amount | None = None


@dataclass(frozen=True)
class Bars:
    """A picture of bars. `line` is where its line stands (None: no line), `line_at` the number beside it.

    `n_left_out` topics are not drawn.
    """

    bars: tuple[Bar, ...]
    line: str | None
    line_at: Amount | None
    n_left_out: int

    @property
    def has_gains(self) -> bool:
        """Whether the picture needs a word about what came in."""
        return any(bar.gained != NONE for bar in self.bars)

    @property
    def has_losses(self) -> bool:
        """Whether the picture needs a word about what went."""
        return any(bar.lost != NONE for bar in self.bars)


def draw_bars(
    totals: Mapping[int, Fraction],
    write: Callable[[Fraction], Amount],
    order: Sequence[int],
    *,
    marks: Mapping[int, Mark] | None = None,
    before: Mapping[int, Fraction] | None = None,
    line_at: Fraction | None = None,
    always: Collection[int] = (),
    most: int = MOST_BARS,
) -> Bars:
    """The bars of one round: highest first, equals in `order`; at most `most`, and `always` those named.

    `before` holds the totals of the round before, `line_at` the number at which the line stands; `write` makes
    an Amount of a number.
    """
    rank = {option: place for place, option in enumerate(order)}
    ranked = sorted(totals, key=lambda option: (-totals[option], rank[option]))
    drawn = _drawn(ranked, always, most)
    before = before or {}
    widest = max([*totals.values(), *(before.get(option, Fraction(0)) for option in drawn), line_at or Fraction(1)])
    bars = []
    for option in drawn:
        total, had = totals[option], before.get(option, totals[option])
        bars.append(
            Bar(
                option,
                write(total),
                (marks or {}).get(option, ""),
                kept=percent_of(min(total, had), widest),
                gained=percent_of(max(total - had, Fraction(0)), widest),
                lost=percent_of(max(had - total, Fraction(0)), widest),
                change=write(total - had) if total != had else None,
            )
        )
    return Bars(
        tuple(bars),
        None if line_at is None else percent_of(line_at, widest),
        None if line_at is None else write(line_at),
        len(ranked) - len(bars),
    )


def _drawn(ranked: Sequence[int], always: Collection[int], most: int) -> list[int]:
    """The options that are drawn, in the order of `ranked`."""
    chosen = set(always) & set(ranked)
    for option in ranked:
        if len(chosen) >= most:
            break
        chosen.add(option)
    return [option for option in ranked if option in chosen]
