"""A reader's promise to give, from the form to the account page."""
