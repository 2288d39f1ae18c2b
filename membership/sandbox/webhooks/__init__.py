"""Telling others: signed events to webhook endpoints, and the moved clock to its listeners."""
