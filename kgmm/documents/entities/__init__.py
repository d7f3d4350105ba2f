"""Which names of which documents mean one and the same: found by rule, with the sentences that say so, and undone by whoever looks."""
