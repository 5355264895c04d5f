"""What judges, by any ledger: `rule` applies a rule, `verdict` all of them, to exchanges of any contract.

`ledger` has the requirements; `waivers`, `root_cause` and `defects` change or explain what comes out. Rules, and
whatever else has a name and stands in a module of its kind, are entries of a `catalogue`.
"""
