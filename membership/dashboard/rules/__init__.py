"""Decisions of the dashboard as pure functions: `days` (the calendar), `periods`, `rates`, `nice` numbers, what is known
of shares (`wilson`), and which article is which story (`stories`).
"""
