"""What is asked of every page that a journey comes past: its source, its headers, and what axe finds."""

import os
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import axe_playwright_python
import html5lib
from playwright.sync_api import Page

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
# Where to keep a picture of every view, such as SHOTS=var/shots; none are kept where it is not set.
SHOTS = os.environ.get("SHOTS")
VIEWS = [(360, "light"), (1280, "dark"), (360, "dark"), (1280, "light")]
# Colours are the same in every language, the length of words is not: two views show both widths and both schemes.
N_VIEWS = {"en": 4, "uk": 2}
CONTROLS = {"input", "select", "textarea"}
NEED_NO_LABEL = {"hidden", "submit", "button", "image", "reset"}


def faults_of(html: str, headers: Mapping[str, str]) -> list[str]:
    """Everything that is wrong with the source and the headers of one page, in words."""
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    document = parser.parse(html)
    faults = [f"invalid HTML: {code} {details} at {place}" for place, code, details in parser.errors]
    elements = [element for element in document.iter() if isinstance(element.tag, str)]
    tags = Counter(element.tag for element in elements)
    policy = headers.get("content-security-policy", "")
    landmarks = () if "sandbox" in policy else ("main",)  # a mail in a frame is no page
    faults += [f"{tags[tag]} × <{tag}>" for tag in ("h1", "title", *landmarks) if tags[tag] != 1]
    if not document.get("lang"):
        faults.append("no language")
    faults += _faults_of_ids(elements)
    if "default-src 'none'" not in policy:
        faults.append("no content security policy")
    return faults


def _faults_of_ids(elements: list[Any]) -> list[str]:
    ids = Counter(element.get("id") for element in elements if element.get("id") is not None)
    faults = [f"id {name!r} stands {n} times" for name, n in ids.items() if n > 1 or not name]
    labelled = {element.get("for") for element in elements if element.tag == "label"}
    faults += [f"a label for nothing: {name!r}" for name in labelled - set(ids) - {None}]
    for element in elements:
        for attribute in ("aria-labelledby", "aria-describedby"):
            faults += [
                f"{attribute} of nothing: {name!r}" for name in element.get(attribute, "").split() if name not in ids
            ]
        if element.tag in CONTROLS and element.get("type") not in NEED_NO_LABEL:
            is_named = element.get("id") in labelled or element.get("aria-label") or element.get("aria-labelledby")
            if not is_named:
                faults.append(f"a field without a label: {element.get('name')!r}")
    return faults


def violations(page: Page, *, is_mail: bool = False) -> list[str]:
    """What axe finds on the page as it is shown now, one line each. A mail is held to WCAG, not to what pages have."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE)
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if is_mail:
        options["runOnly"] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = page.evaluate("options => axe.run(options).then(found => found.violations)", options)
    return [
        f"{rule['id']}: {node['target']} {node.get('failureSummary', '')}" for rule in found for node in rule["nodes"]
    ]


def overflow(page: Page) -> list[str]:
    """What stands out to the right of the window, and whether the page can be scrolled sideways."""
    return page.evaluate(
        """() => {
          const width = document.documentElement.clientWidth;
          const inScroller = (element) => {
            for (let box = element.parentElement; box; box = box.parentElement)
              if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(box).overflowX)) return true;
            return false;
          };
          const wide = [...document.body.querySelectorAll("*")]
            .filter((element) => element.getBoundingClientRect().right > width + 1 && !inScroller(element))
            .map((element) => element.outerHTML.slice(0, 120));
          const scrolled = document.documentElement.scrollWidth;
          if (scrolled > width) wide.unshift(`scrolls to ${scrolled}`);
          return wide;
        }"""
    )


def faults_in_views(page: Page, name: str, *, is_mail: bool = False) -> list[str]:
    """What is wrong with the page as a narrow and a wide window show it, light and dark; `name` is for the eye."""
    faults = []
    for width, scheme in VIEWS[: N_VIEWS[page.locator("html").get_attribute("lang") or "en"]]:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        faults += [
            f"{name} at {width} px, {scheme}: {fault}" for fault in overflow(page) + violations(page, is_mail=is_mail)
        ]
        if SHOTS:
            file = re.sub(r"\W+", "-", name).strip("-") + f"-{width}-{scheme}.png"
            page.screenshot(path=Path(SHOTS) / file, full_page=True)
    return faults
