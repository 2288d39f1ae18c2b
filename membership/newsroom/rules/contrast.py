"""Contrast of colours as WCAG 2.2 defines it, and the nearest shade that has enough of it.

Shades are found in OKLab (Björn Ottosson, 2020), in which equal steps look equal: the hue stays, only the lightness
moves, and the strength as far as the screen can show it.
"""

import math
import re
from collections.abc import Iterable

# WCAG 2.2, 1.4.3 (text) and 1.4.11 (what can be used).
TEXT_LEAST = 4.5
CONTROL_LEAST = 3.0

_SIX = re.compile(r"[0-9a-f]{6}")
_THREE = re.compile(r"[0-9a-f]{3}")
_STEPS = 40

Lab = tuple[float, float, float]


def read_colour(text: str) -> str:
    """What somebody typed, such as "8A3323" or "#abc", as "#rrggbb" in lower case; ValueError for anything else."""
    digits = text.strip().removeprefix("#").lower()
    if _THREE.fullmatch(digits):
        digits = "".join(digit * 2 for digit in digits)
    if not _SIX.fullmatch(digits):
        raise ValueError(f"Not a colour: {text!r}.")
    return f"#{digits}"


def luminance(colour: str) -> float:
    """The relative luminance of "#rrggbb", from 0 (black) to 1 (white)."""
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def shown_ratio(ratio: float) -> float:
    """A ratio with two digits, cut and not rounded: 4.499 is 4.49, for it is not enough."""
    return math.floor(ratio * 100) / 100


def weakest(colour: str, grounds: Iterable[tuple[str, str]]) -> tuple[str, float]:
    """Of grounds (name, colour), at least one: the name of that on which `colour` stands out least, and the ratio."""
    return min(((name, contrast(colour, ground)) for name, ground in grounds), key=lambda found: found[1])


def nearest(colour: str, grounds: Iterable[str], least: float) -> str | None:
    """The shade of `colour` nearest to it that has a contrast of `least` on every ground; itself where it has.

    None where no shade has, since the grounds are both too light and too dark.
    """
    known = tuple(grounds)
    if _passes(colour, known, least):
        return colour
    found = [shade for end in (0.0, 1.0) if (shade := _towards(end, colour, known, least)) is not None]
    return min(found, key=lambda shade: math.dist(_lab(shade), _lab(colour)), default=None)


def shade(colour: str, by: float) -> str:
    """`colour` lighter (`by` above zero) or darker, as a share of the way from black to white."""
    lightness, a, b = _lab(colour)
    return _written((min(1.0, max(0.0, lightness + by)), a, b))


def _passes(colour: str, grounds: tuple[str, ...], least: float) -> bool:
    return all(contrast(colour, ground) >= least for ground in grounds)


def _towards(end: float, colour: str, grounds: tuple[str, ...], least: float) -> str | None:
    """The shade nearest to `colour` on its way to black (0) or white (1) that passes; None where not even that does.

    Halving the way finds it, since contrast with what is lighter only grows on the way to black, and the other way.
    """
    begin, a, b = _lab(colour)
    best = _written((end, a, b))
    if not _passes(best, grounds, least):
        return None
    fails, passes = begin, end
    for _ in range(_STEPS):
        middle = (fails + passes) / 2
        tried = _written((middle, a, b))
        if _passes(tried, grounds, least):
            passes, best = middle, tried
        else:
            fails = middle
    return best


def _linear(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return _unbent(red), _unbent(green), _unbent(blue)


def _unbent(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004 - of sRGB


def _bent(part: float) -> float:
    return part * 12.92 if part <= 0.0031308 else float(1.055 * part ** (1 / 2.4) - 0.055)  # noqa: PLR2004 - of sRGB


def _lab(colour: str) -> Lab:
    red, green, blue = _linear(colour)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _to_linear(lab: Lab) -> tuple[float, float, float]:
    lightness, a, b = lab
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )


def _written(lab: Lab) -> str:
    """The colour as "#rrggbb"; one that no screen shows is made paler until one does."""
    lightness, a, b = lab
    strength = 1.0
    while strength > 0 and not _is_shown(_to_linear((lightness, a * strength, b * strength))):
        strength = max(0.0, strength - 0.02)
    parts = _to_linear((lightness, a * strength, b * strength))
    return "#" + "".join(f"{round(255 * _bent(min(1.0, max(0.0, part)))):02x}" for part in parts)


def _is_shown(parts: tuple[float, float, float]) -> bool:
    slack = 0.0005  # less than half of what one step of a screen is
    return all(-slack <= part <= 1 + slack for part in parts)
