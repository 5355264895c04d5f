"""The ways in: the pytest plugin with its session and items, and the command hostup-conformance.

`options` turns what was given into a target and limits; `run` and `client_run` judge a server or a client, `record` is
the plain data of which the reports are made, and `reported_server` and `reported_client` say what these show of each.
"""

#: The exit codes, which are pytest's.
CONFORMANT, NOT_CONFORMANT, INTERRUPTED, UNWRITTEN, UNUSABLE = range(5)
