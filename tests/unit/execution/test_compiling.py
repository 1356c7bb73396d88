"""The switch from NumPy to compiled code in a running server."""

from __future__ import annotations

import importlib.util
import subprocess
import threading
from pathlib import Path

import pytest

from fallline.engine.kernels import compiled
from fallline.engine.kernels.compiled import COMPILED
from fallline.engine.kernels.numpy_kernels import NUMPY, Kernels
from fallline.execution import compiling
from fallline.execution.compiling import DONE, KernelUnavailable, Preparation


class Compiler:
    """A fake compiling process that ends on request with this status and messages."""

    def __init__(self, status: int = 0, messages: bytes = b"") -> None:
        self.may_end = threading.Event()
        self.returncode, self.messages = status, messages
        self.terminated = False

    def communicate(self) -> tuple[None, bytes]:
        assert self.may_end.wait(60)
        return None, self.messages

    def poll(self) -> int | None:
        return self.returncode if self.may_end.is_set() else None

    def terminate(self) -> None:
        self.terminated = True
        self.returncode = -15
        self.may_end.set()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache directory; the code of this process stays where it is."""
    monkeypatch.setattr(compiling, "cache_directory", lambda environment: tmp_path)
    monkeypatch.setattr(compiling, "point_numba_at", lambda directory: None)
    return tmp_path


def started(monkeypatch: pytest.MonkeyPatch, compiler: Compiler) -> tuple[Kernels, Preparation]:
    monkeypatch.setattr(subprocess, "Popen", lambda *arguments, **options: compiler)
    kernels = Kernels()
    preparation = Preparation(kernels)
    preparation.start()
    return kernels, preparation


def wait_for(preparation: Preparation) -> None:
    assert preparation._thread is not None
    preparation._thread.join(60)


def test_cached_code_is_used_at_once(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / DONE).touch()
    kernels, preparation = started(monkeypatch, Compiler())
    assert (kernels.current, kernels.why) == (COMPILED, None)
    preparation.stop()


def test_numpy_serves_while_another_process_compiles(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = Compiler()
    frozen: list[str] = []
    monkeypatch.setattr(compiling, "settle", lambda: frozen.append("settled"))
    kernels, preparation = started(monkeypatch, compiler)
    assert (kernels.current, kernels.why) == (NUMPY, compiling.COMPILING)
    compiler.may_end.set()
    wait_for(preparation)
    assert frozen == ["settled"]  # the compiler's objects stay
    assert (kernels.current, kernels.why) == (COMPILED, None)
    assert (place / DONE).exists()


def test_a_failed_compiler_leaves_numpy_and_its_last_message(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = Compiler(2, b"Traceback:\nfallline: no space left\n")
    kernels, preparation = started(monkeypatch, compiler)
    compiler.may_end.set()
    wait_for(preparation)
    assert (kernels.current, kernels.why) == (NUMPY, "compiling failed: fallline: no space left")
    assert not (place / DONE).exists()


def test_a_stopping_server_terminates_its_compiler(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = Compiler()
    _, preparation = started(monkeypatch, compiler)
    preparation.stop()
    wait_for(preparation)
    assert compiler.terminated


@pytest.mark.parametrize(
    ("broken", "why"), [("numba", compiling.NO_NUMBA), ("place", compiling.NO_PLACE)], ids=["numba", "place"]
)
def test_without_numba_or_a_directory_numpy_serves_with_a_reason(
    broken: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if broken == "numba":
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    else:
        monkeypatch.setattr(compiling, "cache_directory", lambda environment: None)
    kernels = Kernels()
    Preparation(kernels).start()
    assert (kernels.current, kernels.why) == (NUMPY, why)
    with pytest.raises(KernelUnavailable, match=why.split(":", maxsplit=1)[0]):
        Preparation(kernels, "compiled").start()


def test_the_setting_can_select_numpy() -> None:
    kernels = Kernels()
    Preparation(kernels, "numpy").start()
    assert (kernels.current, kernels.why) == (NUMPY, compiling.SWITCHED_OFF)


def test_code_that_this_processor_cannot_run_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "lacking", lambda environment: ["avx2", "fma"])
    monkeypatch.setenv("NUMBA_CPU_NAME", "x86-64-v3")
    kernels = Kernels()
    Preparation(kernels).start()
    assert kernels.current is NUMPY
    assert kernels.why == "NUMBA_CPU_NAME=x86-64-v3 needs avx2, fma, which this processor lacks"


@pytest.mark.parametrize("fault", [KeyError("_nrt"), EOFError(), RuntimeError("half a file")])
def test_any_exception_of_the_compiler_leaves_numpy(
    fault: Exception, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise fault

    (place / DONE).touch()
    monkeypatch.setattr(compiled, "load", broken)
    kernels, _ = started(monkeypatch, Compiler())
    assert kernels.current is NUMPY
    assert (kernels.why or "").startswith("compiled code is unavailable: ")
    assert (kernels.why or "").split(": ", 1)[1]
