"""Pictures fit our pages: no style, no script, colours by role, words for who does not see them, drawn once."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import func, select

from membership.dashboard.metrics.metric import Kind, Line, Result, Unit
from membership.dashboard.models import Picture
from membership.dashboard.pictures import chart_of, draw, spec_of
from membership.dashboard.pictures import svg as cleaning
from membership.dashboard.rules.periods import period_of, pieces
from membership.dashboard.services import drawing
from membership.db import db
from membership.kernel import clock
from membership.kernel.money import Money
from tests.dashboard.conftest import NOW

PERIOD = period_of("own", date(2026, 11, 18), date(2026, 11, 1), date(2026, 11, 5))
CUT = tuple(pieces(PERIOD.start_on, PERIOD.end_on, PERIOD.step))


def read(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - what we drew ourselves


def texts_in(root: ET.Element) -> list[str]:
    return [element.text for element in root.iter() if element.tag.endswith("text")]


def result(kind, *lines, unit=Unit.MONEY) -> Result:
    return Result(NOW, PERIOD, unit, kind, None, None, CUT, tuple(lines))


def euros(*minors):
    return tuple(Money(minor, "EUR") for minor in minors)


STACK = (
    Line("new", "New <b>", euros(0, 400, 800, 0, 0)),
    Line("lost", "Lost", euros(0, 0, -400, 0, -800)),
    Line("less", "Less", euros(0, 0, 0, 0, 0)),
    Line("rates", "Exchange rates", euros(5, 5, 5, 5, 5), is_drawn=False),
)


@pytest.fixture
def pictured(app):
    with app.test_request_context():
        yield app


def test_a_stack_is_drawn_with_classes_and_nothing_else_that_styles(pictured):
    chart = chart_of(result(Kind.STACK, *STACK))
    assert [series.label for series in chart.series] == ["New <b>", "Lost"]
    for size, width in (("narrow", 328), ("wide", 720)):
        svg = draw(spec_of(chart, size), "Movements, Nov 1 – 5 & more")
        root = read(svg)
        assert root.get("viewBox").split()[2] == str(width)
        assert (root.get("role"), root.get("aria-label")) == ("img", "Movements, Nov 1 – 5 & more")
        assert not re.search(r"style|script|href|on\w+=|font-family|#0|aria-hidden|url\(", svg)
        texts = texts_in(root)
        assert {"New <b>", "Lost", "€0", "€10", "−€10"} <= set(texts)
        assert {"Less", "Exchange rates"} & set(texts) == set()


def test_bars_have_a_zero_line(pictured):
    chart = chart_of(result(Kind.STACK, Line("card", "Card", euros(300, 400, 500, 300, 300))))
    assert chart.marks[0] == (0.0, "€0")
    assert "stroke-ink" in draw(spec_of(chart, "wide"), "x")


def test_a_line_ends_in_its_number_and_needs_no_legend(pictured):
    chart = chart_of(result(Kind.LEVEL, Line("patrons", "Patrons", (100, 101, 99, None, 107)), unit=Unit.PEOPLE))
    svg = draw(spec_of(chart, "wide"), "Patrons")
    texts = texts_in(read(svg))
    assert "107" in texts
    assert "Patrons" not in texts


@pytest.mark.parametrize(
    "empty",
    [
        result(Kind.STACK, Line("card", "Card", euros(0, 0, 0, 0, 0))),
        result(Kind.LEVEL, Line("cups", "Cups", (None,) * 5), unit=Unit.CUPS),
        result(Kind.NUMBER, Line("n", "N", (1, 2, 3, 4, 5)), unit=Unit.COUNT),
        result(Kind.LEVEL),
    ],
)
def test_what_would_show_nothing_is_not_drawn(empty):
    assert chart_of(empty) is None


def test_the_same_data_is_drawn_once(pictured, monkeypatch):
    chart = chart_of(result(Kind.STACK, *STACK))
    first = drawing.pictures([(chart, "Movements")])
    monkeypatch.setattr(drawing, "draw", lambda *_: pytest.fail("It was drawn before."))
    assert drawing.pictures([(chart, "Movements")]) == first
    assert db.session.scalar(select(func.count()).select_from(Picture)) == 2


def test_other_words_are_another_picture_and_old_ones_go(pictured):
    chart = chart_of(result(Kind.STACK, *STACK))
    drawing.pictures([(chart, "Movements"), (chart, "Рухи")])
    assert db.session.scalar(select(func.count()).select_from(Picture)) == 4
    drawing.forget(clock.real_now() + timedelta(days=8))
    assert db.session.scalar(select(func.count()).select_from(Picture)) == 0


@pytest.mark.parametrize(
    "drawn",
    [
        '<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
        '<svg xmlns="http://www.w3.org/2000/svg"><g><foreignObject/></g></svg>',
        '<svg xmlns="http://www.w3.org/2000/svg"><path fill="#123456"/></svg>',
    ],
)
def test_what_no_page_may_show_is_refused(drawn):
    with pytest.raises(ValueError, match=r"may not contain|no colour of ours"):
        cleaning._clean(read(drawn))


def test_every_role_has_its_colour_in_the_style_sheet(app):
    from pathlib import Path

    css = (Path(app.static_folder) / "css" / "dashboard.css").read_text(encoding="utf-8")
    missing = [role for role in cleaning.ROLES.values() if f".fill-{role} " not in css]
    assert missing == []
