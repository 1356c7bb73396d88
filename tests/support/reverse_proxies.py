"""nginx and Caddy before a server, configured as the documentation says.

As a program it fetches both, as packages of Debian or Ubuntu, and unpacks them into the user's cache. So no service is
started and nothing of the system is changed.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

PAGE = Path(__file__).parents[2] / "docs/how-to/behind-a-proxy.md"
CADDYFILE = Path(__file__).parents[2] / "Caddyfile"
CACHE = user_cache_path("fallline-tests", appauthor=False) / "proxies"
PROGRAMS = {"nginx": "usr/sbin/nginx", "caddy": "usr/bin/caddy"}
START_SECONDS = 20


def find(name: str) -> str | None:
    """Return the path of a proxy that starts: the system's or the fetched one; else None."""
    for path in (shutil.which(name), str(CACHE / name / PROGRAMS[name])):
        if path and Path(path).exists() and _starts(name, path):
            return path
    return None


def _starts(name: str, path: str) -> bool:
    version = [path, "-v" if name == "nginx" else "version"]
    return subprocess.run(version, capture_output=True, check=False).returncode == 0


def installed() -> list[str]:
    """Return the proxies of this machine."""
    return [name for name in PROGRAMS if find(name)]


# ---------------------------------------------------------------------- running


def documented(language: str) -> str:
    """Return the configuration that the documentation shows."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(block)


def _at_root(text: str) -> str:
    """Change a configuration for a server of its own, as the documentation says."""
    text = re.sub(r"^.*X-Forwarded-Prefix.*\n|^\s*redir .*\n", "", text, flags=re.MULTILINE)
    return text.replace("location /fallline/", "location /").replace("handle_path /fallline/*", "handle")


def _nginx(target: int, port: int, folder: Path, *, path: str, strips: bool) -> list[str]:
    text = documented("nginx") if path else _at_root(documented("nginx"))
    final = "/" if strips else ""
    text = text.replace("http://127.0.0.1:8000;", f"http://127.0.0.1:{target}{final};")
    text = text.replace("listen 80;", f"listen 127.0.0.1:{port};").replace("/fallline", path)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"daemon off;\npid {folder}/pid;\nworker_processes 1;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{folders}{text}}}\n"
    )
    errors = ["-e", str(folder / "errors")]
    return ["-p", str(folder), *errors, "-c", str(configuration)]


def _caddy(target: int, port: int, folder: Path, *, path: str, strips: bool) -> list[str]:
    text = documented("caddyfile") if path else _at_root(documented("caddyfile"))
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{target}").replace(
        ":80 {", f"http://127.0.0.1:{port} {{"
    )
    text = text.replace("/fallline", path)
    if path and not strips:
        text = text.replace("handle_path", "handle")
    configuration = folder / "Caddyfile"
    configuration.write_text(f"{{\n\tadmin off\n\tauto_https off\n}}\n{text}")
    return ["run", "--adapter", "caddyfile", "--config", str(configuration)]


_ARGUMENTS: dict[str, Callable[..., list[str]]] = {"nginx": _nginx, "caddy": _caddy}


@contextmanager
def open_proxy(name: str, target: int, path: str = "", *, strips: bool = True) -> Iterator[str]:
    """Start a proxy before a port. Yields the server's address there, without a final slash."""
    with tempfile.TemporaryDirectory() as place:
        folder, port = Path(place), _free_port()
        folder.chmod(0o755)
        arguments = _ARGUMENTS[name](target, port, folder, path=path, strips=strips)
        with _running(name, arguments, port, folder):
            yield f"http://127.0.0.1:{port}{path}"


@contextmanager
def open_shipped_caddy(target: int, domain: str) -> Iterator[int]:
    """Start Caddy with the Caddyfile of compose.yaml before a port. Yields its port for HTTPS."""
    with tempfile.TemporaryDirectory() as place:
        folder, port = Path(place), _free_port()
        own = f"admin off\n\tskip_install_trust\n\thttp_port {_free_port()}\n\thttps_port {port}"
        shipped = CADDYFILE.read_text()
        assert "fallline:8000" in shipped
        configuration = folder / "Caddyfile"
        configuration.write_text(
            f"{{\n\t{own}\n}}\n{shipped.replace('fallline:8000', f'127.0.0.1:{target}')}"
        )
        arguments = ["run", "--adapter", "caddyfile", "--config", str(configuration)]
        with _running("caddy", arguments, port, folder, DOMAIN=domain):
            _wait_for_certificate(port, domain)
            yield port


@contextmanager
def _running(name: str, arguments: list[str], port: int, folder: Path, **environment: str) -> Iterator[None]:
    program, place = find(name), str(folder)
    assert program is not None
    homes = {"HOME": place, "XDG_DATA_HOME": place, "XDG_CONFIG_HOME": place}
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [program, *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **homes, **environment},
        )
    try:
        _wait_for(port, process, folder / "output")
        yield
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], output: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise AssertionError(f"the proxy does not start: {output.read_text()}")


def _wait_for_certificate(port: int, domain: str) -> None:
    """Caddy listens before it has made its certificate, and refuses handshakes until then."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port), timeout=1) as connection,
            context.wrap_socket(connection, server_hostname=domain),
        ):
            return
        time.sleep(0.02)
    raise AssertionError("Caddy makes no certificate")


# ---------------------------------------------------------------------- fetching


def _fetch(name: str) -> str:
    """Fetch and unpack a package; return the error, empty if there is none."""
    with tempfile.TemporaryDirectory() as place:
        # apt fetches as a user of its own, who must be able to write there
        Path(place).chmod(0o777)
        if error := _run("apt-get", "-qq", "download", name, folder=place):
            return error
        (package,) = Path(place).glob(f"{name}_*.deb")
        shutil.rmtree(CACHE / name, ignore_errors=True)
        (CACHE / name).mkdir(parents=True)
        return _run("dpkg-deb", "--extract", str(package), str(CACHE / name), folder=place)


def _run(*command: str, folder: str | None = None) -> str:
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stderr or " ".join(command)


def main() -> int:
    """Fetch the missing programs. If that fails, name them: the tests then use only their own proxy."""
    missing = [name for name in PROGRAMS if not find(name)]
    if not missing:
        return 0
    print(f"== fetching {' and '.join(missing)}, behind which the server is tested", flush=True)
    if shutil.which("apt-get") is None:
        errors = ["there is no apt-get"]
    else:
        update = _run("apt-get", "-qq", "update") if os.geteuid() == 0 else ""
        errors = [update, *(_fetch(name) for name in missing)]
    left = [name for name in missing if not find(name)]
    if left:
        print(f"The server is not tested behind {' and '.join(left)}: install them.", file=sys.stderr)
        print("\n".join(filter(None, errors)), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
