"""Thousands of tests make an app of their own: what costs them most is done once, or when it is first needed.

Werkzeug compiles two small functions for each route when an app is made: a tenth of a second for each app, which is
most of what making one costs. Here they are compiled when they are first called. Jinja compiles a template anew for
each app that shows it: a page and all that it extends, a tenth of a second again. Here a process compiles it once.
Nothing else about either changes.
"""

from typing import ClassVar

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule

compile_builder = Rule._compile_builder
make_environment = Flask.create_jinja_environment


class CompiledTemplates(BytecodeCache):
    """What Jinja made of the templates, in memory; a template whose text has changed is compiled again."""

    _compiled: ClassVar[dict[tuple[str, str], object]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._compiled.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key, bucket.checksum] = bucket.code


def compile_later(rule: Rule, append_unknown: bool = True):  # noqa: FBT001, FBT002 - werkzeug's signature
    made = []

    def build(_rule, **values):
        if not made:
            made.append(compile_builder(rule, append_unknown))
        return made[0](rule, **values)

    return build


def environment_that_remembers(app: Flask):
    environment = make_environment(app)
    environment.bytecode_cache = CompiledTemplates()
    return environment


def install() -> None:
    """From now on, in this process."""
    Rule._compile_builder = compile_later
    Flask.create_jinja_environment = environment_that_remembers
