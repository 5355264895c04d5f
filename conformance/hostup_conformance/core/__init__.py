"""HTTP and judging, of whatever contract: what this folder must know of one is given to it as arguments."""
