"""Decisions of the desk about people, as pure functions of values: `searching` (what was typed), `filters` (who is
asked for), `runs` (what is done for many at once), `naming` (tags and segments), `cells` (what stands in a CSV).
"""
