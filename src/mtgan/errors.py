"""The one error type for what a user can mend."""


class UserError(ValueError):
    """A mistake in the user's input: the message says what is wrong, where, and how to mend it.

    The command line prints the message alone and exits with code 2; any other exception is ours
    and keeps its traceback.
    """
