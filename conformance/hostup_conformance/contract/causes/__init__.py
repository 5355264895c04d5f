"""Why a run found what it found, by what several exchanges show together. It judges nothing.

Of whatever was found there are others of its kind that were spared. A *hypothesis* says what parts the two; it is told
only if all that was found agrees with it, and nothing that was spared contradicts it. Where none does, it is said that
it is not known what decides. So a cause that nobody has thought of is named by where good and bad responses part:

- by what requests carry, and what their commands do, each a *trait* in words (`traits`); in a *split* of odd and usual
  ones, by who responded, by a *measure* such as size, or by when they were sent (`contrasts`);
- of commands that were lost, ended early or never end, by what had happened by the poll that shows it, a *sighting*
  (`lost_commands`, by the `evidence` of polls);
- of output, by what became of all that changed, its *fate* (`output`), or where two texts differ (`differences`); and
  of commands, by which were altered, or ran too often (`mishaps`), which rules ask for, so that one requirement tells.

`widespread` has what explains many exchanges of several requirements at once (a rate limit, a cache, a gateway),
`failings` why requests fail or are refused, `behind` which broken requirement tells of them most plainly, and `pids`
how pids are given. `notes` says the words with the messages of the broken requirements, the most telling first.
(`judging/root_cause.py` goes by what the faults of the catalogue break together, and knows nothing of a run.)
"""
