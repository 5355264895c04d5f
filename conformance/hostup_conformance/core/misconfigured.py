"""The one exception for input that cannot be used; it must not know whose input it is."""


class Misconfigured(Exception):
    """Something that the user gave cannot be used; the message names the input and the remedy. Nothing was sent."""
