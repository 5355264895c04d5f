"""All of judging clients; nothing of the server's side imports it.

`scenes` say how a server behaves, some with `certificates`. `play` runs a client's command in one of them through
`processes`, or serves one to people; `rounds` plays many, and `recording` reads what a client sent from a file.
All return what was received as a `story`, which `rules` and `judging` judge. `contract.md` is what a client is told,
`examples` are clients to begin with, and `traps` says what libraries do by themselves.
"""

from typing import Literal

#: What the user says that the command does: asks whether commands can be run; polls the command HOSTUP_PID to its end;
#: or starts HOSTUP_COMMAND and polls that. The last two print the output, and exit with its exit code.
Does = Literal["probe", "poll", "run"]
