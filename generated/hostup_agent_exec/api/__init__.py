"""The operations, by tag: each a module with ``sync``, ``asyncio``, and both with ``_detailed``."""
