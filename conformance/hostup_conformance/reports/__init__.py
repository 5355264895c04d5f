"""Reports: each takes the plain record of a run. None knows how it was made, nor imports anything of the suite."""
