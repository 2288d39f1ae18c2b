"""How Stripe speaks HTTP: forms, checks of parameters, errors, pages of lists, expansion, idempotency."""
