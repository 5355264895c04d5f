"""The endpoint as a respx router, under its public name: `from hostup_conformance.respx import router`."""

from hostup_conformance.missing import complaint

try:
    from hostup_conformance.servers.router import TROUBLE, router
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(complaint() or str(error)) from error

__all__ = ["TROUBLE", "router"]
