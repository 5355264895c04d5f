"""The endpoint as a respx router, by the name that people import: `from hostup_conformance.respx import router`."""

from hostup_conformance.servers.router import TROUBLE, router

__all__ = ["TROUBLE", "router"]
