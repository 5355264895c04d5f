"""The endpoint as a respx router, under its public name: `from hostup_conformance.respx import router`."""

from hostup_conformance.servers.router import TROUBLE, router

__all__ = ["TROUBLE", "router"]
