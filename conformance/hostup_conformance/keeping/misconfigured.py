"""The one exception for options, variables and files that cannot be used."""


class Misconfigured(Exception):
    """The user's input cannot be used, and nothing was sent. The message names the input and the remedy."""
