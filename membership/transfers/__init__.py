"""Support that arrives beside the payment provider: bank transfers and other ways, statements, matching."""
