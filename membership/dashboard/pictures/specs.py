"""From a chart to a Vega-Lite specification. Source: https://vega.github.io/vega-lite/docs/spec.html (version 5).

Everything that is a word or a place on an axis is worked out before, so that Vega formats nothing. Colours stand for
roles (`svg.ROLES`), which the page's style sheet fills in the light, in the dark, and on paper.
"""

import json
from typing import Any

from membership.dashboard.pictures.charts import Chart, Series
from membership.dashboard.pictures.svg import INK, RULE, SOFT, TONE

# Width of the whole picture in the pixels of a phone and of a desk; both are in the page, which shows one of them.
WIDTHS = {"narrow": 328, "wide": 720}
HEIGHTS = {"narrow": 210, "wide": 250}
# Room around: for numbers at the left, for words at the right where a line or colour is named there.
LEFT, TOP, BOTTOM, RIGHT = 56, 14, 28, 14
LETTER, SQUARE = 7.4, 30
LABEL_WIDTH = {"narrow": 80, "wide": 74}
FONT = 13
LINE_HEIGHT = 18


def spec_of(chart: Chart, size: str) -> dict[str, Any]:
    """The specification of a chart in one of the sizes of WIDTHS."""
    # On a phone the names of colours stand below, on a desk and at the ends of lines beside.
    names = [each.end for each in chart.series if each.end]
    is_below = chart.is_bars and size == "narrow"
    right = RIGHT if is_below or not names else round(max(map(len, names)) * LETTER) + SQUARE
    below = BOTTOM + (len(names) * LINE_HEIGHT + LINE_HEIGHT // 2 if is_below else 0)
    width, height = WIDTHS[size] - LEFT - right, HEIGHTS[size] - TOP - BOTTOM
    layers = _bars(chart, width) if chart.is_bars else _lines(chart)
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": width,
        "height": height,
        "autosize": {"type": "none"},
        "padding": {"left": LEFT, "right": right, "top": TOP, "bottom": below},
        "background": None,
        "config": {"view": {"stroke": None}, "aria": False, "text": {"fontSize": FONT}},
        "data": {"values": _values(chart)},
        "layer": [*layers, *_words(chart, width, height, is_below=is_below)],
        "encoding": {"x": _across(chart, size, width), "y": _upright(chart)},
    }


def _values(chart: Chart) -> list[dict[str, Any]]:
    return [
        {"at": at, "series": number, "value": value}
        for number, each in enumerate(chart.series)
        for at, value in enumerate(each.values)
        if value is not None
    ]


def _across(chart: Chart, size: str, width: int) -> dict[str, Any]:
    n = len(chart.names)
    every = max(1, -(-n * LABEL_WIDTH[size] // max(width, 1)))
    named = list(range((n - 1) % every, n, every))
    words = json.dumps({str(at): chart.names[at] for at in named}, ensure_ascii=True)
    half = 0.5 if chart.is_bars else 0
    last = n - 1 + half if chart.is_bars else max(n - 1, 1)
    return {
        "field": "at",
        "type": "quantitative",
        "scale": {"domain": [-half, last], "nice": False, "zero": False},
        "axis": {
            "values": named, "labelExpr": f"({words})[datum.value]", "title": None, "grid": False, "domain": False,
            "ticks": False, "labelFontSize": FONT, "labelColor": SOFT, "labelPadding": 8, "labelFlush": not half,
        },
    }  # fmt: skip


def _upright(chart: Chart) -> dict[str, Any]:
    marks = [mark for mark, _ in chart.marks]
    words = json.dumps({_as_script(mark): text for mark, text in chart.marks}, ensure_ascii=True)
    return {
        "type": "quantitative",
        "scale": {"domain": [marks[0], marks[-1]], "nice": False, "zero": False},
        "axis": {
            "values": marks, "labelExpr": f"({words})[datum.value]", "title": None, "domain": False, "ticks": False,
            "gridColor": RULE, "labelFontSize": FONT, "labelColor": SOFT, "labelPadding": 8,
        },
    }  # fmt: skip


def _as_script(number: float) -> str:
    """As JavaScript writes a number that it is asked to look up."""
    return str(int(number)) if number.is_integer() else repr(number)


def _lines(chart: Chart) -> list[dict[str, Any]]:
    layers: list[dict[str, Any]] = []
    for number, each in enumerate(chart.series):
        of_it = [{"filter": f"datum.series === {number}"}]
        colour = TONE[each.tone]
        y = {"y": {"field": "value"}}
        layers.append(
            {"transform": of_it, "mark": {"type": "line", "color": colour, "strokeWidth": 2.5}, "encoding": y}
        )
        last = max(at for at, value in enumerate(each.values) if value is not None)
        of_end = [{"filter": f"datum.series === {number} && datum.at === {last}"}]
        layers.append(
            {"transform": of_end, "mark": {"type": "circle", "color": colour, "size": 60, "opacity": 1}, "encoding": y}
        )
        text = {"type": "text", "align": "left", "dx": 9, "color": INK, "fontWeight": "bold", "fontSize": 14}
        layers.append({"transform": of_end, "mark": text, "encoding": {**y, "text": {"value": each.end}}})
    return layers


def _bars(chart: Chart, width: int) -> list[dict[str, Any]]:
    size = max(2, min(46, width / max(len(chart.names), 1) * 0.72))
    tones = {"domain": list(range(len(chart.series))), "range": [TONE[each.tone] for each in chart.series]}
    bars = {
        "mark": {"type": "bar", "size": size, "stroke": None},
        "encoding": {
            "y": {"field": "value", "stack": "zero"},
            "color": {"field": "series", "type": "nominal", "scale": tones, "legend": None},
            "order": {"field": "series", "type": "quantitative"},
        },
    }
    zero = {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": INK, "strokeWidth": 1},
        "encoding": {"x": None, "y": {"datum": 0}},
    }
    return [bars, zero]


def _words(chart: Chart, width: int, height: int, *, is_below: bool) -> list[dict[str, Any]]:
    """Names of the colours of bars: below them, or beside them; there, what takes away stands at the bottom."""
    if not chart.is_bars:
        return []
    named = [each for each in chart.series if each.end]
    if is_below:
        return [
            layer
            for at, each in enumerate(named)
            for layer in _named(each, 6, height + BOTTOM + FONT / 2 + at * LINE_HEIGHT)
        ]
    plus = [each for each in named if sum(value or 0 for value in each.values) >= 0]
    minus = [each for each in named if each not in plus]
    places = [(each, FONT / 2 + at * LINE_HEIGHT) for at, each in enumerate(reversed(plus))]
    places += [(each, height - FONT / 2 - at * LINE_HEIGHT) for at, each in enumerate(reversed(minus))]
    return [layer for each, y in places for layer in _named(each, width + 12, y)]


def _named(each: Series, x: float, y: float) -> list[dict[str, Any]]:
    place = {"x": {"value": x}, "y": {"value": y}}
    square = {"type": "square", "color": TONE[each.tone], "size": 90, "opacity": 1}
    words = {"type": "text", "align": "left", "baseline": "middle", "dx": 10, "color": INK, "fontSize": FONT}
    nothing: dict[str, Any] = {"values": [{}]}
    return [
        {"data": nothing, "mark": square, "encoding": place},
        {"data": nothing, "mark": words, "encoding": {**place, "text": {"value": each.end}}},
    ]
