"""The colours of tokens.css keep their promises, in the light and in the dark."""

import math
import re
from itertools import combinations, pairwise
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "membership" / "static"
TOKENS = (STATIC / "tokens.css").read_text()
# The style sheets of the areas, which pages load besides.
SHEETS = {path.name: path.read_text() for path in (STATIC / "site.css", *sorted((STATIC / "css").glob("*.css")))}
EVERY_SHEET = pytest.mark.parametrize("sheet", SHEETS)

TEXT_LEAST = 4.5
CONTROL_LEAST = 3.0
# How far two chart colours stand apart in OKLab, for every kind of colour sight. 0.1 is told apart easily.
CHART_APART = 0.1
# How far neighbours stand apart in lightness alone, so that a grey print still tells them apart.
PRINT_APART = 0.1

SURFACES = ("paper", "paper-raised", "paper-sunken", "paper-warm")
WORDS = ("ink", "ink-soft", "accent", "accent-strong", "good", "warn", "bad")
CONTROLS = ("line-control", "accent", "focus", "bad")

# Machado, Oliveira and Fernandes (2009), full severity: what red-, green- and blue-blind eyes see.
SIGHTS = {
    "full": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}


def colours(css):
    return dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6});", css))


LIGHT_CSS, DARK_CSS = TOKENS.split("@media (prefers-color-scheme: dark)")
LIGHT = colours(LIGHT_CSS)
DARK = LIGHT | colours(DARK_CSS)
SCHEMES = pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])


def linear(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def luminance(colour):
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """The contrast of two colours as WCAG 2 defines it, from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def oklab(rgb):
    red, green, blue = rgb
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.793617785 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.428592205 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.808675766 * short,
    )


def seen_by(sight, colour):
    rgb = linear(colour)
    seen = (sum(weight * part for weight, part in zip(row, rgb, strict=True)) for row in SIGHTS[sight])
    return oklab([min(1, max(0, part)) for part in seen])


def chart(scheme):
    return [scheme[f"chart-{n}"] for n in range(1, 9)]


def too_weak(scheme, pairs, least):
    return {f"{a} on {b}": round(ratio, 2) for a, b in pairs if (ratio := contrast(scheme[a], scheme[b])) < least}


@SCHEMES
def test_text_can_be_read_on_every_surface(scheme):
    pairs = [(word, surface) for word in WORDS for surface in SURFACES]
    pairs += [("accent-ink", "accent"), ("accent-ink", "accent-strong"), ("paper", "ink")]
    pairs += [(word, f"{news}-paper") for news in ("good", "warn", "bad") for word in ("ink", "ink-soft", news)]
    assert too_weak(scheme, pairs, TEXT_LEAST) == {}


@SCHEMES
def test_controls_and_focus_can_be_seen_on_every_surface(scheme):
    pairs = [(control, surface) for control in CONTROLS for surface in SURFACES]
    pairs += [("focus", "bad-paper"), ("bad", "bad-paper"), ("accent", "paper-warm")]
    assert too_weak(scheme, pairs, CONTROL_LEAST) == {}


@SCHEMES
def test_every_chart_colour_can_be_seen_on_paper(scheme):
    pairs = [(f"chart-{n}", surface) for n in range(1, 9) for surface in ("paper", "paper-raised")]
    assert too_weak(scheme, pairs, CONTROL_LEAST) == {}


@SCHEMES
@pytest.mark.parametrize("sight", SIGHTS)
def test_every_pair_of_chart_colours_is_told_apart(scheme, sight):
    alike = [
        (one, other)
        for one, other in combinations(chart(scheme), 2)
        if math.dist(seen_by(sight, one), seen_by(sight, other)) < CHART_APART
    ]
    assert alike == []


@SCHEMES
def test_neighbours_in_a_chart_are_told_apart_in_grey_print(scheme):
    lightness = [seen_by("full", colour)[0] for colour in chart(scheme)]
    assert min(abs(one - other) for one, other in pairwise(lightness)) >= PRINT_APART


def test_the_dark_scheme_changes_every_colour():
    assert colours(DARK_CSS).keys() == LIGHT.keys()


@EVERY_SHEET
def test_the_site_uses_only_tokens_that_exist(sheet):
    defined = set(re.findall(r"--([a-z0-9-]+):", TOKENS + SHEETS[sheet]))
    assert set(re.findall(r"var\(--([a-z0-9-]+)", SHEETS[sheet])) - defined == set()


@EVERY_SHEET
def test_only_tokens_and_print_name_colours(sheet):
    screen = SHEETS[sheet].partition("@media print")[0]
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(", screen.replace("#main", "")) == []


@pytest.mark.parametrize("css", [TOKENS, *SHEETS.values()], ids=["tokens.css", *SHEETS])
def test_the_style_sheets_load_nothing(css):
    assert re.findall(r"url\(|@import|@font-face|https?://", css) == []
