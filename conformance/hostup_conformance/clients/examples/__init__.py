"""Small correct clients to begin with, one a language: `hostup-conformance client --example LANGUAGE` prints it.

They are programs, not modules; each is judged in all scenes by the tests.
"""

from pathlib import Path

#: Each language with its file.
LANGUAGES = {"python": "client.py", "javascript": "client.mjs", "go": "client.go", "shell": "client.sh"}


def example(language: str) -> str:
    """Return the client in a language."""
    return (Path(__file__).parent / LANGUAGES[language]).read_text("utf-8")
