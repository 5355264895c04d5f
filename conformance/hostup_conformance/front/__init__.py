"""The ways in: the pytest plugin, and the command hostup-conformance.

- pytest: `plugin`, and `session` with the items in `test_requirements` and `test_generated`.
- The command: `start` and `cli`, and `explain`.
- A run: `options` say what was given, of which `preparation` makes a target and limits; `application` serves one that
  is to be judged. `run` judges a server, by what `selection` leaves of the requests, and `client_run` a client; `plan`
  only tells what would be sent.
- What is shown: `record`, the plain data of which reports are made, and what `reported_server` and `reported_client`
  say of each.
"""

#: The exit codes, which are pytest's.
CONFORMANT, NOT_CONFORMANT, INTERRUPTED, UNWRITTEN, UNUSABLE = range(5)
