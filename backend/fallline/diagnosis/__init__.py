"""The Doctor's rules: problems of a run, their symptoms in numbers, and remedies.

`rules` is the table, `examine` opens and closes findings, `view` is the input of a rule. Must not know runs, the
engine, or the schedule of examinations.
"""
