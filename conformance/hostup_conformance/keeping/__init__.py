"""What a run keeps, shows and ends by, whatever it is about: the ground on which all else stands.

- Text: `redact` keeps keys out, in whichever of its `readings` they stand; `safe_text` makes what a server sent safe to
  show.
- Files: `files` writes and removes them.
- Ends: `interruption` and `time_limit` end a run, `misconfigured` refuses to begin one, and `missing` says what is not
  installed.
"""
