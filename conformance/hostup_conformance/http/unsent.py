"""The exceptions for requests that are not sent."""


class Unsent(Exception):
    """A request was not sent. The message says why."""


class Stopped(Unsent):
    """The run sends nothing more."""


class Withheld(Unsent):
    """This request is not sent, mostly for safety."""
