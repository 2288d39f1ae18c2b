"""Stripe behind our own words; beside the sandbox the only importer of `stripe`."""
