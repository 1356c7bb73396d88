"""The arithmetic of a slice of steps, made fast. `table` says what a kernel promises; the rest is NumPy's."""
