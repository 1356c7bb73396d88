"""Build a release into `dist/VERSION`: wheel, source archive, notes, SBOM and checksums. Publishes nothing.

    python .ci/release.py             build the commit that is checked out
    python .ci/release.py VERSION     write the version and today's date into package and changelog; builds nothing

The same commit gives the same bytes: everything is built twice, from two exports of the commit, and compared.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import uuid
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "backend/fallline/__init__.py"
CHANGELOG = ROOT / "CHANGELOG.md"
LOCK = "requirements/run.txt"
PAGE_LOCK = "frontend/package-lock.json"
MODULES = "frontend/node_modules"
TOOLS = r"(@esbuild/|esbuild$|@types/)"

VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)
SECTION = re.compile(r"^## \[(?P<version>[^\]]+)\] - (?P<date>.+)\n(?P<text>(?:(?!## ).*\n?)*)", re.MULTILINE)
PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^ ;\\]+)(?P<rest>(?:.*\\\n)*.*)", re.MULTILINE)


class Refused(Exception):
    """A reason why nothing is released, for people."""


def git(*arguments: str) -> bytes:
    """The output of a Git command in the repository."""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout


def prepare(version: str) -> None:
    """Write the version and today's date into the package and the newest section of the changelog."""
    if not re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", version):
        raise Refused(f"{version} is no version; write one like 0.2.0 or 0.2.0rc1")
    newest = _newest_section()
    if newest["version"] != version and newest["date"] != "Unreleased":
        raise Refused(f"the changelog has no new section: add `## [{version}] - Unreleased` and its lines")
    heading = f"## [{version}] - {datetime.now(UTC).date().isoformat()}\n"
    text = CHANGELOG.read_text()
    CHANGELOG.write_text(text[: newest.start()] + heading + text[newest.start("text") :])
    PACKAGE.write_text(VERSION.sub(f'__version__ = "{version}"', PACKAGE.read_text()))


def build() -> Path:
    """The folder with all files of the release."""
    if changed := git("status", "--porcelain").decode().strip():
        raise Refused(f"the tree has changes that are not committed:\n{changed}")
    version, notes = _version(), _notes()
    commit, seconds = git("log", "-1", "--format=%H %ct").decode().split()
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        files = _packages(Path(first), seconds)
        if _packages(Path(second), seconds) != files:
            raise Refused("two builds of the same commit differ")
    files[f"fallline-{version}.md"] = notes.encode()
    files[f"fallline-{version}.cdx.json"] = sbom(version, commit, int(seconds)).encode()
    sums = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items())]
    folder = ROOT / "dist" / version
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, data in {**files, "SHA256SUMS": "".join(sums).encode()}.items():
        (folder / name).write_bytes(data)
    return folder


def _version() -> str:
    match = VERSION.search(PACKAGE.read_text())
    if match is None:
        raise Refused(f"{PACKAGE.relative_to(ROOT)} names no version")
    return match[1]


def _newest_section() -> re.Match[str]:
    section = SECTION.search(CHANGELOG.read_text())
    if section is None:
        raise Refused("the changelog has no section of a version")
    return section


def _notes() -> str:
    """The changelog's section of this version."""
    version, section = _version(), _newest_section()
    try:
        date.fromisoformat(section["date"])
    except ValueError:
        raise Refused(f"{version} is not dated in the changelog: make release VERSION={version}") from None
    if section["version"] != version:
        raise Refused(f"the package is {version}, the changelog's newest section {section['version']}")
    return section["text"].strip() + "\n"


def _packages(place: Path, seconds: str) -> dict[str, bytes]:
    """Wheel and source archive of the commit by name, built in an export of it."""
    with tarfile.open(fileobj=BytesIO(git("archive", "HEAD"))) as export:
        export.extractall(place / "source", filter="data")
    if (ROOT / MODULES).is_dir():
        (place / "source" / MODULES).symlink_to(ROOT / MODULES)
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(place / "built")]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": seconds}
    result = subprocess.run(
        command, cwd=place / "source", env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise Refused(f"the packages cannot be built:\n{result.stdout}{result.stderr}")
    return {path.name: path.read_bytes() for path in (place / "built").iterdir()}


def sbom(version: str, commit: str, seconds: int) -> str:
    """Return the packages of an installation from the lock, as CycloneDX."""
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_OID, commit))
    bom.metadata.timestamp = datetime.fromtimestamp(seconds, UTC)
    program = Component(
        name="fallline",
        version=version,
        type=ComponentType.APPLICATION,
        purl=PackageURL("pypi", name="fallline", version=version),
    )
    program.bom_ref.value = str(program.purl)
    bom.metadata.component = program
    parts = [*python_parts((ROOT / LOCK).read_text()), *page_parts((ROOT / PAGE_LOCK).read_text())]
    for part in parts:
        bom.components.add(part)
    bom.register_dependency(program, parts)
    return json.dumps(json.loads(JsonV1Dot6(bom).output_as_string()), indent=2, sort_keys=True) + "\n"


def python_parts(lock: str) -> list[Component]:
    """The packages of a lock of Python, with the hashes of their files."""
    parts = []
    for pin in PIN.finditer(lock):
        purl = PackageURL("pypi", name=pin["name"].lower(), version=pin["version"])
        hashes = [
            HashType(alg=HashAlgorithm.SHA_256, content=each)
            for each in re.findall(r"--hash=sha256:([0-9a-f]{64})", pin["rest"])
        ]
        parts.append(
            Component(
                name=pin["name"],
                version=pin["version"],
                type=ComponentType.LIBRARY,
                purl=purl,
                hashes=hashes,
                bom_ref=str(purl),
            )
        )
    return parts


def page_parts(lock: str) -> list[Component]:
    """The packages of npm that the page's bundle is made from; tools that build it are left out."""
    parts = {}
    for path, package in json.loads(lock)["packages"].items():
        name = path.rpartition("node_modules/")[2]
        if not name or re.match(TOOLS, name):
            continue
        group, _, base = name.rpartition("/")
        purl = PackageURL("npm", namespace=group or None, name=base, version=package["version"])
        digest = base64.b64decode(package["integrity"].removeprefix("sha512-")).hex()
        parts[str(purl)] = Component(
            name=base,
            group=group or None,
            version=package["version"],
            type=ComponentType.LIBRARY,
            purl=purl,
            hashes=[HashType(alg=HashAlgorithm.SHA_512, content=digest)],
            licenses=[LicenseFactory().make_from_string(package["license"])] if "license" in package else [],
            bom_ref=str(purl),
        )
    return list(parts.values())


def main(arguments: list[str]) -> int:
    """The exit status."""
    try:
        if arguments:
            prepare(*arguments)
            print("Look at the changes and commit them; then `make release` builds.")
            return 0
        folder = build()
    except Refused as reason:
        print(f"release: {reason}", file=sys.stderr)
        return 1
    print(folder.relative_to(ROOT))
    print((folder / "SHA256SUMS").read_text(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
