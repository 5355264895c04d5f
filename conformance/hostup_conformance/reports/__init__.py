"""Reports: each takes the plain record of a run, and must not know how that was made.

`files` writes `html` with its `pictures`, `junit`, `summary`, `badge` and the record itself, whose form is in `schema`;
`terminal` and `progress` print. `figures` has what all of them say alike, and `compare` compares two runs.
"""
