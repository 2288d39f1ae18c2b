"""The newsroom's own colours: links, buttons and the bar of the goal, in the light and in the dark.

Checked as the style sheet's own colours are (tests/look): words with a contrast of 4.5 or more on every surface,
controls with 3 or more (WCAG 2.2, 1.4.3 and 1.4.11).
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from membership.newsroom.rules import contrast
from membership.newsroom.rules.faults import Bounds, Fault, Leaf, Tokens

SCHEMES = ("light", "dark")
SURFACES = ("paper", "paper-raised", "paper-sunken", "paper-warm")
# How far the stronger shade, for what is pointed at, lies from the accent.
STRONGER = {"light": -0.08, "dark": 0.06}
HASH_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one scheme as "#rrggbb". No accent: the style sheet's own three. `strong` (what is pointed at)
    and `ink` (words on either) are worked out from the accent where they are None.
    """

    accent: str | None
    strong: str | None
    ink: str | None

    def drawn(self, scheme: str, tokens: Tokens) -> dict[str, str]:
        """Role in the style sheet -> colour; empty where the style sheet's own colours stand."""
        if self.accent is None:
            return {}
        strong = self.strong or contrast.shade(self.accent, STRONGER[scheme])
        ink = self.ink or _ink_for(self.accent, strong, tokens.of(scheme)["accent-ink"])
        return {"accent": self.accent, "accent-strong": strong, "accent-ink": ink}

    def faults(self, scheme: str, tokens: Tokens) -> Iterator[Fault]:
        """What cannot be read, with the ratio that was measured, where, and the nearest shade that can."""
        if self.accent is None:
            if self.strong or self.ink:
                yield Fault(f"{scheme}.accent", "accent_missing")
            return
        surfaces = {name: tokens.of(scheme)[name] for name in SURFACES}
        words = {"accent": self.accent} | ({"strong": self.strong} if self.strong else {})
        weak = [fault for name, colour in words.items() if (fault := _weak(f"{scheme}.{name}", colour, surfaces))]
        yield from weak
        if self.ink and not weak:
            drawn = self.drawn(scheme, tokens)
            grounds = {name: drawn[name] for name in ("accent", "accent-strong")}
            fault = _weak(f"{scheme}.ink", self.ink, grounds)
            if fault is not None:
                yield fault


@dataclass(frozen=True, slots=True)
class Colours:
    """The newsroom's colours, light and dark."""

    light: Palette
    dark: Palette

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Colours":
        """From what `to_json` made."""
        return cls(**{scheme: Palette(**values[scheme]) for scheme in SCHEMES})

    def to_json(self) -> dict[str, Any]:
        """As history keeps it."""
        return asdict(self)

    def leaves(self) -> dict[str, Leaf]:
        """Path -> value, one for each thing that staff set."""
        return {
            f"{scheme}.{name}": value for scheme, palette in self.to_json().items() for name, value in palette.items()
        }

    def keeping(self, before: "Colours") -> "Colours":
        """These as they are."""
        del before
        return self

    def faults(self, bounds: Bounds) -> list[Fault]:
        """Everything that cannot be."""
        return [fault for scheme in SCHEMES for fault in getattr(self, scheme).faults(scheme, bounds.tokens)]

    def drawn(self, tokens: Tokens) -> Tokens:
        """The style sheet's colours with these in their place."""
        return Tokens(
            {**tokens.light, **self.light.drawn("light", tokens)}, {**tokens.dark, **self.dark.drawn("dark", tokens)}
        )

    def css(self, tokens: Tokens) -> str:
        """The style sheet that puts these in the place of its own colours; "" where there are none."""
        light, dark = (_rules(getattr(self, scheme).drawn(scheme, tokens)) for scheme in SCHEMES)
        css = f":root{{{light}}}\n" if light else ""
        # An accent of the light alone must not shine through in the dark.
        own = dark or (_rules({name: tokens.dark[name] for name in ("accent", "accent-strong", "accent-ink")}))
        return css + (f"@media (prefers-color-scheme: dark){{:root{{{own}}}}}\n" if light or dark else "")


def name_of(css: str) -> str:
    """The hash by which a style sheet is asked for: another one has another address."""
    return hashlib.sha256(css.encode()).hexdigest()[:HASH_LENGTH]


def _weak(path: str, colour: str, grounds: Mapping[str, str]) -> Fault | None:
    name, ratio = contrast.weakest(colour, grounds.items())
    if ratio >= contrast.TEXT_LEAST:
        return None
    details = {
        "ground": name,
        "ratio": contrast.shown_ratio(ratio),
        "least": contrast.TEXT_LEAST,
        "nearest": contrast.nearest(colour, grounds.values(), contrast.TEXT_LEAST),
    }
    return Fault(path, "weak", details)


def _ink_for(accent: str, strong: str, wanted: str) -> str:
    """Words on both: the style sheet's own where they can be read, else white or black, whichever is read better."""
    grounds = (("accent", accent), ("strong", strong))
    if contrast.weakest(wanted, grounds)[1] >= contrast.TEXT_LEAST:
        return wanted
    return max(("#ffffff", "#000000"), key=lambda ink: contrast.weakest(ink, grounds)[1])


def _rules(colours: Mapping[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in colours.items())


def trial_css(colours: Colours, tokens: Tokens) -> str:
    """A style sheet in which `.trial--light` and `.trial--dark` have the colours of their scheme, own ones and all."""
    drawn = colours.drawn(tokens)
    return "".join(f".trial--{scheme}{{color-scheme:{scheme};{_rules(drawn.of(scheme))}}}\n" for scheme in SCHEMES)
