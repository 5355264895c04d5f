"""HTTP and judging, for any contract: what this folder needs to know of a contract is passed in as arguments."""
