"""What an argument is that is not given, a detailed response, and the error of a value that is not what its type says."""

from hostup_agent_runtime.values import UNSET, InvalidValue, Response, Unset

__all__ = ("UNSET", "InvalidValue", "Response", "Unset")
