"""All of judging clients; nothing of the server's side imports it.

`scenes` say how a server behaves, `play` runs a client's command in them through `processes`, and `recording` reads
what a client sent from a file. Both return what was received as a `story`, which `rules` and `judging` judge.
"""
