# Any base with Python 3.11-3.13, its venv module and CA certificates will do: the same file builds on Debian itself.
ARG BASE=python:3.12-slim

# What the compiled kernels are made for: x86-64-v3 runs on what has been sold since about 2015, and has the numbers come out
# alike on all of it. On other architectures it means their generic processor. x86-64-v4 is up to 1.8 times as fast, where
# there is AVX-512.
ARG PROCESSOR=x86-64-v3

# --- what is built stays behind here: pip, hatchling, the sources -------------------------------------------------
FROM ${BASE} AS build
ARG PROCESSOR

WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1

# Wheels only, each of the very bytes that the lock names: nothing is compiled, so no compiler is needed at any stage.
# The lock comes first and alone, so that a change of fallline itself does not install everything anew.
COPY requirements/build.txt requirements/docs.txt requirements/run.txt requirements/
RUN python3 -m venv /opt/build \
 && python3 -m venv --without-pip /opt/fallline \
 && /opt/build/bin/python -m pip install --only-binary :all: --require-hashes -r requirements/build.txt -r requirements/docs.txt \
 && /opt/build/bin/python -m pip --python /opt/fallline/bin/python install \
      --only-binary :all: --require-hashes -r requirements/run.txt

# What the page is built from: of the very bytes, too. The wheel holds the built page, so what runs needs no Node.
COPY frontend/package.json frontend/package-lock.json frontend/
RUN PATH=/opt/build/bin:$PATH npm ci --prefix frontend --no-audit --no-fund

COPY pyproject.toml hatch_build.py mkdocs.yml README.md LICENSE ./
COPY backend backend
COPY docs docs
COPY frontend frontend
RUN /opt/build/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /src/dist . \
 && /opt/build/bin/python -m pip --python /opt/fallline/bin/python install --no-deps /src/dist/*.whl \
 && NUMBA_CPU_NAME=${PROCESSOR} /opt/fallline/bin/fallline warm

# --- what runs ------------------------------------------------------------------------------------------------------
FROM ${BASE}
ARG PROCESSOR

LABEL org.opencontainers.image.title="fallline" \
      org.opencontainers.image.description="Watch gradient descent happen" \
      org.opencontainers.image.licenses="MIT"

COPY --from=build /opt/fallline /opt/fallline

# Where experiments are stored. A new volume takes over whose this is.
RUN mkdir --mode 700 /data && chown 10001:10001 /data

# One BLAS thread: the matrices are small, and threads that wait for each other would cost more than they bring.
# Nothing else is written: no bytecode, no home directory; the root file system may be read-only. Compiled code lies beside
# the sources, and is copied at start to where it can be written, since Numba reads it nowhere else; without a /tmp NumPy
# serves.
ENV PATH=/opt/fallline/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OPENBLAS_NUM_THREADS=1 \
    NUMBA_CPU_NAME=${PROCESSOR} \
    NUMBA_CACHE_DIR=/tmp/fallline \
    FALLLINE_DATA=/data \
    FALLLINE_HOST=0.0.0.0 \
    FALLLINE_PORT=8000

# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
WORKDIR /tmp
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM

HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['FALLLINE_PORT']}/healthz\", timeout=2)"]

ENTRYPOINT ["fallline"]
CMD ["serve"]
