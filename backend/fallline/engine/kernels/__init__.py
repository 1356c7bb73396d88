"""Fast arithmetic for a slice of steps; `interface` defines a kernel.

NumPy's kernel is `numpy_kernels` with `passes`. Numba's, an optional extra, is `compiled` with
`compiled_*`. `numpy_kernels.Kernels` selects one of them.
"""
