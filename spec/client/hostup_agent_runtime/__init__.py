"""What the generated client runs on: plain Python that no template makes, and that does not change with the document.

Data goes one way: generated code fills in a ``Request`` (``sending``), a client (``client``) sends it over its
connections (``connections``) and reads the response into values (``values``) or errors (``errors``). What takes
several requests (``waiting``, ``pages``, ``fleet``) is written once, as steps that are performed with or without
``await``.
"""
