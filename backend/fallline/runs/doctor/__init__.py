"""The Doctor's examinations of runs: schedule, costs and trials."""
