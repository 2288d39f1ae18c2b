"""What Stripe's Dashboard would do, and what only a sandbox can: moving time, ordering faults."""
