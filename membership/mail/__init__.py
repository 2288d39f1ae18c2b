"""The outbox: mails are rows of the same transaction, and leave afterwards."""
