"""Selection of the kernel: NumPy at first, the compiled one once it is available."""

from __future__ import annotations

from collections.abc import Mapping

from fallline.engine.kernels.interface import Kernel
from fallline.engine.kernels.numpy_kernels import NUMPY
from fallline.engine.problem import Problem


class KernelUnavailable(RuntimeError):
    """The compiled kernel is unavailable; the text is the reason, for users."""


class Kernels:
    """The kernel for runs that begin now; a run keeps its kernel until a reset.

    `why` is the reason for not using the compiled kernel, or None. Training threads read it while another thread
    changes it, so each change is one assignment. `builds` are the library builds of this process, reported with a
    run's numbers.
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
        """The current kernel, or NumPy if it does not support this problem."""
        current = self.current
        return current if current.supports(problem) else NUMPY

    def named(self, name: str) -> Kernel:
        """The kernel of that name if it is available, else the current one."""
        current = self.current
        return NUMPY if name == NUMPY.name else current

    def use(self, kernel: Kernel) -> None:
        """Use this kernel for runs that begin from now on."""
        self._serving = (kernel, None)

    def stay(self, why: str) -> None:
        """Stay with NumPy, temporarily or permanently."""
        self._serving = (NUMPY, why)


def compiled_kernel() -> Kernel:
    """Load or compile the compiled kernel. Raises KernelUnavailable."""
    try:
        from fallline.engine.kernels.compiled import COMPILED, load  # noqa: PLC0415  an optional extra

        load()
    except Exception as error:  # anything a compiler or a broken file may raise; NumPy is the fallback
        reason = str(error) or type(error).__name__
        raise KernelUnavailable(f"compiled code is unavailable: {reason}") from error
    return COMPILED
