"""The one that talks with the payment company: intents, inbox, ledger, receipts. Knows no room."""
