"""Reports: each takes the plain record of a run, and must not know how that was made."""
