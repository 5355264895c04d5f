"""A client library for accessing HostUp VPS guest-agent command state"""

from .client import AuthenticatedClient, Client

__version__ = "15.0.0"
__all__ = ("AuthenticatedClient", "Client", "__version__")
