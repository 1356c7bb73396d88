"""Fast arithmetic for a slice of steps; `table` defines the interface of a kernel.

NumPy's kernel is `numpy_kernels` with `columns`, `single` and `tape`. Numba's, an optional extra, is `compiled` with
`compiled_*`. `choice` selects one of them.
"""
