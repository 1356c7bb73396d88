"""What the image's configuration must say. Reads the file that `buildah inspect --type image` wrote."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def faults(image: dict[str, object]) -> list[str]:
    """Every promise that the configuration breaks, in words; none for a good image."""
    docker = image["Docker"]
    assert isinstance(docker, dict)
    config = docker["config"]
    environment = dict(entry.split("=", 1) for entry in config.get("Env") or [])
    whole = json.dumps([config, docker.get("history")]).lower()
    promises = {
        "runs as a number that is not root": config.get("User") == "10001:10001",
        "is stopped by SIGTERM": config.get("StopSignal") == "SIGTERM",
        "starts the program itself, not a shell": config.get("Entrypoint") == ["fallline"]
        and config.get("Cmd") == ["serve"],
        "checks its health without a shell": (config.get("Healthcheck") or {}).get("Test", [None])[0]
        == "CMD",
        "tells its port": list(config.get("ExposedPorts") or {}) == ["8000/tcp"],
        "keeps to one BLAS thread": environment.get("OPENBLAS_NUM_THREADS") == "1",
        "pins the processor of its compiled code": bool(environment.get("NUMBA_CPU_NAME")),
        "says where compiled code is copied to": environment.get("NUMBA_CACHE_DIR", "").startswith("/tmp/"),
        "declares the volume that it stores in, and no other": list(config.get("Volumes") or {}) == ["/data"]
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
    return [f"not so: the image {promise}" for promise, kept in promises.items() if not kept]


def main() -> int:
    """Print the broken promises; 1 when there is one."""
    found = faults(json.loads(Path(sys.argv[1]).read_text()))
    for fault in found:
        print(f"   {fault}", file=sys.stderr)
    if not found:
        print("   ok: user, health check, stop signal, entry point, port, volume; no index, proxy or secret")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
