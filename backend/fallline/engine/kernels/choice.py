"""Which kernel serves: NumPy from the first moment, the compiled one as soon as it is there. Must not know how it gets
there, which takes files and processes.
"""

from __future__ import annotations

from collections.abc import Mapping

from fallline.engine.kernels.numpy_kernels import NUMPY
from fallline.engine.kernels.table import Kernel
from fallline.engine.problem import Problem


class KernelUnavailable(RuntimeError):
    """The compiled kernel cannot be had; the text says why, for people."""


class Kernels:
    """The kernel that runs take when they begin; a run keeps the one it took until it is reset.

    `why` says why it is not the compiled one, or is None. Read by training threads while another thread changes it:
    each change is one assignment. `builds` are what this process computes with, told beside the runs' numbers.
    """

    def __init__(
        self, kernel: Kernel = NUMPY, why: str | None = None, builds: Mapping[str, str] | None = None
    ) -> None:
        self._serving: tuple[Kernel, str | None] = (kernel, why)
        self.builds: Mapping[str, str] = builds or {}

    @property
    def current(self) -> Kernel:
        return self._serving[0]

    @property
    def why(self) -> str | None:
        return self._serving[1]

    def of(self, problem: Problem) -> Kernel:
        """The one that a run of this problem takes now: NumPy where the one that serves has no code for it."""
        current = self.current
        return current if current.makes(problem) else NUMPY

    def named(self, name: str) -> Kernel:
        """The kernel of that name where it is there, else the one that serves."""
        current = self.current
        return NUMPY if name == NUMPY.name else current

    def use(self, kernel: Kernel) -> None:
        """Serve those who begin from now on."""
        self._serving = (kernel, None)

    def stay(self, why: str) -> None:
        """Stay with NumPy, for now or for good."""
        self._serving = (NUMPY, why)


def compiled_kernel() -> Kernel:
    """The compiled kernel, its code loaded or, where it is not on disk, compiled now. Raises KernelUnavailable."""
    try:
        from fallline.engine.kernels.compiled import COMPILED, load  # noqa: PLC0415  an extra that may be missing

        load()
    except Exception as error:  # whatever a compiler or a broken file on disk may raise: NumPy serves as well
        reason = str(error) or type(error).__name__
        raise KernelUnavailable(f"compiled code cannot be used: {reason}") from error
    return COMPILED
