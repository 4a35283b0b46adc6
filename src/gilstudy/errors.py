"""The errors that are the user's to mend: one line each, exit code 2."""


class BadInput(ValueError):
    """What was given cannot be used; the message is one line that says what is wrong and what to do."""
