"""A pytest plugin for `make mutate`: few examples of each property, since every mutant is tried against all."""

from hypothesis import settings

settings.register_profile("few", max_examples=15, database=None, deadline=None)
settings.load_profile("few")
