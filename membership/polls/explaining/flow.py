"""The whole of a ranked count in one picture: a line of votes per round, and streams where they moved.

Coordinates are in the drawing's own units, `WIDTH` wide; the page scales it. Rounds follow each other downwards,
so that a phone shows what a wide screen shows.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

WIDTH = 400
MARGIN = 24
GAP = 2
BAR = 12
# Between the lines of two rounds; less where there are many rounds.
PITCHES = ((7, 66), (14, 52), (30, 40))
TOP = 26
# A segment at least so wide has room for its letter, or for its letter and number.
ROOM_FOR_KEY = 15
ROOM_FOR_NUMBER = 62
# Where votes go that name nobody else.
NOBODY = -1


@dataclass(frozen=True)
class Segment:
    """The votes of one topic (or of nobody) in one round."""

    option: int
    x: float
    y: float
    width: float
    total: Fraction
    # "", "won" or "out": what this round decided about it.
    mark: str
    has_key: bool
    has_number: bool

    @property
    def middle(self) -> float:
        """Where its words stand."""
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True)
class Stream:
    """Votes on their way from round to round: the outlines of ribbons. `is_move` where they changed topic."""

    option: int
    path: str
    is_move: bool


@dataclass(frozen=True)
class Flow:
    """The drawing; `labels` are the numbers of the rounds with the heights at which they stand."""

    width: int
    height: int
    bar: int
    segments: tuple[Segment, ...]
    streams: tuple[Stream, ...]
    labels: tuple[tuple[int, float], ...]

    @property
    def options(self) -> frozenset[int]:
        """The topics that had votes in any round."""
        return frozenset(segment.option for segment in self.segments if segment.option != NOBODY)


@dataclass(frozen=True)
class Stage:
    """One round for the drawing: totals, what was decided, and the votes that move on after it."""

    n: int
    totals: Mapping[int, Fraction]
    marks: Mapping[int, str]
    moves: Sequence[tuple[int, int, Fraction]]


def draw_flow(stages: Sequence[Stage], order: Sequence[int]) -> Flow:
    """The drawing of `stages` (one or more); topics stand from left to right in `order`, votes for nobody last."""
    everything = sum(stages[0].totals.values(), Fraction(0))
    columns = [*order, NOBODY]
    scale = (WIDTH - MARGIN - GAP * len(columns)) / float(everything or 1)
    pitch = next(pitch for most, pitch in PITCHES if len(stages) <= most or most == PITCHES[-1][0])
    rows = [_with_nobody(stage.totals, everything) for stage in stages]
    segments: list[Segment] = []
    streams: list[Stream] = []
    places: list[dict[int, tuple[float, float]]] = []
    for index, (stage, row) in enumerate(zip(stages, rows, strict=True)):
        place = _places(row, columns, scale)
        places.append(place)
        for option, (x, width) in place.items():
            mark = stage.marks.get(option, "")
            segments.append(
                Segment(
                    option, round(x, 1), TOP + index * pitch, round(max(width, 0.8), 1), row[option], mark,
                    width >= ROOM_FOR_KEY or bool(mark), width >= ROOM_FOR_NUMBER,
                )
            )  # fmt: skip
    for index, stage in enumerate(stages[:-1]):
        y = TOP + index * pitch
        ribbons = _ribbons(stage, rows[index], places[index], places[index + 1])
        streams += _streams(ribbons, places[index], places[index + 1], scale, (y + BAR, y + pitch))
    return Flow(
        WIDTH,
        TOP + (len(stages) - 1) * pitch + BAR + 6,
        BAR,
        tuple(segments),
        _joined(streams),
        tuple((stage.n, TOP + index * pitch + BAR - 1) for index, stage in enumerate(stages)),
    )


def _with_nobody(totals: Mapping[int, Fraction], everything: Fraction) -> dict[int, Fraction]:
    """The round's totals with what no topic has any more, so that every line is equally long."""
    return {**totals, NOBODY: everything - sum(totals.values(), Fraction(0))}


def _places(row: Mapping[int, Fraction], columns: Sequence[int], scale: float) -> dict[int, tuple[float, float]]:
    places, x = {}, float(MARGIN)
    for option in columns:
        if row.get(option, 0) > 0:
            width = float(row[option]) * scale
            places[option] = (x, width)
            x += width + GAP
    return places


def _ribbons(
    stage: Stage, row: Mapping[int, Fraction], here: Collection[int], there: Collection[int]
) -> list[tuple[int, int, Fraction]]:
    """What goes from the line of `stage` to the next: (from, to, votes), what stays as well."""
    leaving: dict[int, Fraction] = {}
    for source, _, votes in stage.moves:
        leaving[source] = leaving.get(source, Fraction(0)) + votes
    staying = [(option, option, total - leaving.get(option, Fraction(0))) for option, total in row.items()]
    return [
        (source, target, votes)
        for source, target, votes in [*staying, *stage.moves]
        if source in here and target in there and votes > 0
    ]


def _streams(
    ribbons: Sequence[tuple[int, int, Fraction]],
    here: Mapping[int, tuple[float, float]],
    there: Mapping[int, tuple[float, float]],
    scale: float,
    heights: tuple[float, float],
) -> list[Stream]:
    column_here = {option: place for place, option in enumerate(here)}
    column_there = {option: place for place, option in enumerate(there)}
    starts = _stack([(source, column_there[target], votes) for source, target, votes in ribbons], here, scale)
    ends = _stack([(target, column_here[source], votes) for source, target, votes in ribbons], there, scale)
    return [
        Stream(source, _ribbon(starts[i], ends[i], float(votes) * scale, heights), source != target)
        for i, (source, target, votes) in enumerate(ribbons)
    ]


def _joined(streams: Sequence[Stream]) -> tuple[Stream, ...]:
    """All ribbons of one colour as one outline: a long count has a thousand of them. Moves lie on top."""
    outlines: dict[tuple[bool, int], list[str]] = {}
    for stream in streams:
        outlines.setdefault((stream.is_move, stream.option), []).append(stream.path)
    return tuple(Stream(option, "".join(paths), is_move) for (is_move, option), paths in sorted(outlines.items()))


def _stack(
    ribbons: Sequence[tuple[int, int, Fraction]], places: Mapping[int, tuple[float, float]], scale: float
) -> list[float]:
    """Where each ribbon touches its segment: side by side, ordered by where its other end stands.

    A ribbon is (topic at this end, column of the other end, votes).
    """
    cursors = {option: x for option, (x, _) in places.items()}
    touching = [0.0] * len(ribbons)
    for i in sorted(range(len(ribbons)), key=lambda i: ribbons[i][1]):
        option, _, votes = ribbons[i]
        touching[i] = cursors[option]
        cursors[option] += float(votes) * scale
    return touching


def _ribbon(start: float, finish: float, width: float, heights: tuple[float, float]) -> str:
    top, bottom = heights
    middle = (top + bottom) / 2
    return (
        f"M{start:.1f} {top}C{start:.1f} {middle} {finish:.1f} {middle} {finish:.1f} {bottom}"
        f"H{finish + width:.1f}C{finish + width:.1f} {middle} {start + width:.1f} {middle} {start + width:.1f} {top}Z"
    )
