"""Decisions of the dashboard as pure functions: `days` (the calendar), `periods`, `rates`, `nice` numbers, how sure
a share is (`wilson`), which article is which story (`stories`).
"""
