"""Thousands of tests make an app of their own, and few of its addresses are ever built.

Werkzeug compiles two small functions for each route when an app is made: a tenth of a second for each app, which is
most of what making one costs. Here they are compiled when they are first called. Nothing else about them changes.
"""

from werkzeug.routing import Rule

compile_builder = Rule._compile_builder


def compile_later(rule: Rule, append_unknown: bool = True):  # noqa: FBT001, FBT002 - werkzeug's signature
    made = []

    def build(_rule, **values):
        if not made:
            made.append(compile_builder(rule, append_unknown))
        return made[0](rule, **values)

    return build


def install() -> None:
    """From now on, in this process."""
    Rule._compile_builder = compile_later
