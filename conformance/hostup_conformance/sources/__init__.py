"""Sources make exchanges, and judge nothing: the scripted probe, schemathesis, a HAR file."""
