"""Why a run found what it found, by what several exchanges show together. It judges nothing.

Each module is a table of hypotheses. One is told only if all that it should explain agrees with it, and nothing that
was spared contradicts it.

- `notes` says the words with the messages of the broken requirements.
- `shared` has what is behind many exchanges at once (a rate limit, a cache, a gateway).
- `splits` tells those that were found from others of their kind: by their `traits`, which no others carry, by who
  responded, or by when they were sent.
- Of commands: `mishaps` says what befell one by the evidence of several, `fates` what became of their output, by the
  `differences` of two texts, and `losses`, by the `evidence` of polls, why they are forgotten. Rules ask the first two,
  so that one requirement tells.
"""
