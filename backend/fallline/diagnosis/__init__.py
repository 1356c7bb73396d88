"""The Doctor's knowledge: what may be wrong with a run, how one sees it, and what would help.

`rules` is the table, `examine` opens and closes findings, `view` is all that a rule may see. Must not know runs, the
engine, or when it is asked.
"""
