"""Payment providers, one folder each; every one satisfies `billing.port.PaymentProvider`."""
