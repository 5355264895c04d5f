"""The one exception for input that cannot be used."""


class Misconfigured(Exception):
    """Something that the user gave cannot be used; nothing was sent. The message names the input and the remedy."""
