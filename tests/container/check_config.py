"""Checks the configuration of the image, in the output of `buildah inspect --type image`."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def faults(image: dict[str, object]) -> list[str]:
    """Return the requirements that the configuration does not meet."""
    docker = image["Docker"]
    assert isinstance(docker, dict)
    config = docker["config"]
    environment = dict(entry.split("=", 1) for entry in config.get("Env") or [])
    whole = json.dumps([config, docker.get("history")]).lower()
    requirements = {
        "runs as a user id other than root": config.get("User") == "10001:10001",
        "is stopped by SIGTERM": config.get("StopSignal") == "SIGTERM",
        "starts the program itself, not a shell": config.get("Entrypoint") == ["fallline"]
        and config.get("Cmd") == ["serve"],
        "checks its health without a shell": (config.get("Healthcheck") or {}).get("Test", [None])[0]
        == "CMD",
        "exposes its port": list(config.get("ExposedPorts") or {}) == ["8000/tcp"],
        "keeps to one BLAS thread": environment.get("OPENBLAS_NUM_THREADS") == "1",
        "pins the processor of its compiled code": bool(environment.get("NUMBA_CPU_NAME")),
        "sets the directory of compiled code": environment.get("NUMBA_CACHE_DIR", "").startswith("/tmp/"),
        "declares only the volume for its data": list(config.get("Volumes") or {}) == ["/data"]
        and environment.get("FALLLINE_DATA") == "/data",
        "holds no index, proxy or secret": not any(
            word in whole
            for word in (
                "index_url",
                "index-url",
                "find_links",
                "find-links",
                "proxy",
                "token",
                "password",
                "secret",
            )
        ),
    }
    return [f"not met: the image {name}" for name, is_met in requirements.items() if not is_met]


def main() -> int:
    """Print the unmet requirements. Returns 1 if there are any."""
    unmet = faults(json.loads(Path(sys.argv[1]).read_text()))
    for fault in unmet:
        print(f"   {fault}", file=sys.stderr)
    if not unmet:
        print("   ok: user, health check, stop signal, entry point, port, volume; no index, proxy or secret")
    return 1 if unmet else 0


if __name__ == "__main__":
    sys.exit(main())
