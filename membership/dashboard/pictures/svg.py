"""Vega draws, and what it drew is brought into a shape that our pages may show: only the elements and attributes that
we know, colours as classes of the style sheet, no style, no script, no address.
"""

import json
import threading
from typing import Any
from xml.etree import ElementTree as ET

# Colours that stand for roles in a specification. No newsroom chooses these for itself.
INK, SOFT, RULE = "#010101", "#010102", "#010103"
TONE = {number: f"#0102{number:02d}" for number in range(1, 9)}
HEAT = {number: f"#0103{number:02d}" for number in range(10)}
"""Ten steps of a heat map, from nothing to all."""
ROLES = {
    INK: "ink",
    SOFT: "soft",
    RULE: "rule",
    **{c: f"tone-{n}" for n, c in TONE.items()},
    **{c: f"heat-{n}" for n, c in HEAT.items()},
}

SPACE = "{http://www.w3.org/2000/svg}"
ELEMENTS = frozenset({"svg", "g", "path", "line", "rect", "text", "tspan"})
ATTRIBUTES = frozenset(
    {
        "transform", "d", "x", "y", "x1", "x2", "y1", "y2", "dx", "dy", "width", "height", "text-anchor", "font-size",
        "font-weight", "stroke-width", "stroke-miterlimit", "stroke-dasharray", "opacity", "viewBox", "rx", "ry",
    }
)  # fmt: skip
PLAIN_COLOURS = frozenset({"none", "transparent"})

# One picture after the other: Vega takes a core for some hundredths of a second, and its machine is one.
_ROOM = threading.Lock()


def draw(spec: dict[str, Any], label: str) -> str:
    """The picture of a specification as inline SVG, which screen readers know as an image called `label`.

    ValueError where Vega drew a colour that stands for no role, or an element that pages may not show.
    """
    import vl_convert

    with _ROOM:
        drawn = vl_convert.vegalite_to_svg(json.dumps(spec), allowed_base_urls=[])
    ET.register_namespace("", "http://www.w3.org/2000/svg")
    root = ET.fromstring(drawn)  # noqa: S314 - our own renderer's output, without document type
    _clean(root)
    for name in ("width", "height"):
        root.attrib.pop(name, None)
    root.attrib |= {"role": "img", "aria-label": label, "focusable": "false"}
    return ET.tostring(root, encoding="unicode")


def _clean(element: ET.Element) -> None:
    name = element.tag.removeprefix(SPACE)
    if name not in ELEMENTS:
        raise ValueError(f"A picture may not contain <{name}>.")
    classes = []
    for attribute, value in list(element.attrib.items()):
        if attribute in {"fill", "stroke"} and value not in PLAIN_COLOURS:
            if value.lower() not in ROLES:
                raise ValueError(f"{value} is no colour of ours.")
            classes.append(f"{attribute}-{ROLES[value.lower()]}")
            del element.attrib[attribute]
        elif attribute not in ATTRIBUTES and attribute not in {"fill", "stroke"}:
            del element.attrib[attribute]
    for child in list(element):
        if child.get("display") == "none" or child.get("class") == "background":
            element.remove(child)
        else:
            _clean(child)
    if classes:
        element.set("class", " ".join(classes))
