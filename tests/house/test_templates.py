"""Every template compiles, and nothing in the code turns data into a template (S33)."""

import re
from contextlib import closing
from pathlib import Path

from membership.sandbox.app import create_sandbox
from membership.sandbox.web import create_pages

ROOT = Path(__file__).parents[2]


def test_every_template_compiles(house):
    names = house.jinja_env.list_templates(extensions=["html", "txt"])
    assert len(names) > 20
    with closing(create_sandbox()) as sandbox:
        stand_in = create_pages(sandbox)  # a program of its own, with filters of its own
        for name in names:
            (stand_in if name.startswith("sandbox/") else house).jinja_env.get_template(name)


def test_autoescape_is_on_for_pages_and_mails(house):
    for name in house.jinja_env.list_templates(extensions=["html"]):
        assert house.select_jinja_autoescape(name), name


def test_no_code_makes_a_template_out_of_a_string():
    for path in (ROOT / "membership").rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert re.findall(r"render_template_string|(?<!storage_)from_string\(", source) == [], path


def test_only_pictures_drawn_by_the_house_go_to_a_page_as_they_are():
    """What is drawn keeps to a short list of elements and attributes, and escapes: tests/dashboard/test_pictures.py."""
    marked = [path for path in (ROOT / "membership").rglob("*.py") if "Markup(" in path.read_text(encoding="utf-8")]
    assert [path.relative_to(ROOT).as_posix() for path in marked] == ["membership/dashboard/services/drawing.py"]
    filters = [
        path
        for path in (ROOT / "templates").rglob("*")
        if path.is_file() and "|safe" in path.read_text(encoding="utf-8").replace(" ", "")
    ]
    assert filters == []
