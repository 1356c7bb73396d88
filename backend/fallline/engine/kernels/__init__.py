"""The arithmetic of a slice of steps, made fast. `table` says what a kernel promises.

`numpy_kernels` with `columns`, `single` and `tape` is NumPy's; `compiled` with `compiled_*` is Numba's, an extra;
`choice` says which one serves.
"""
