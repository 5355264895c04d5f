"""The client object: where to send, as whom, and within which bounds."""

from hostup_agent_runtime import client as _runtime

from . import errors as _errors
from .models.problem import Problem

_CONTRACT = _runtime.Contract(
    package="hostup_agent_exec",
    version="15.0.0",
    server="https://cloud.hostup.se",
    base_url_variable="HOSTUP_BASE_URL",
    key_variable="HOSTUP_API_KEY",
    problem=Problem,
    errors=_errors.BY_STATUS,
    largest_problem=1048576,
)


class Client(_runtime.Client):
    __doc__ = _runtime.Client.__doc__
    contract = _CONTRACT


class AuthenticatedClient(_runtime.AuthenticatedClient, Client):
    __doc__ = _runtime.AuthenticatedClient.__doc__


__all__ = ("AuthenticatedClient", "Client")
