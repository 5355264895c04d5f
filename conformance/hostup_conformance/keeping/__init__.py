"""What a run keeps, shows and ends by, whatever it is about: the ground on which all else stands.

- Text: `redact` keeps keys out, in whichever of its `readings` they stand; `safe_text` makes what a server sent safe to
  show, and `screen` is the one way to what people see at once.
- Files: `files` writes and removes them.
- Ends: `interruption` and `time_limit` end a run, and `processes` a program with all that it leaves behind.
  `misconfigured` refuses to begin, `missing` says what is not installed, and `shortage` what the system has no more of.
"""
