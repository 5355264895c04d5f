"""A client library for accessing HostUp VPS guest-agent command state"""

from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)
