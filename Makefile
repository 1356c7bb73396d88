# fallline's verbs. `make` alone lists them. Needs git, make and Python 3.11-3.13; the rest is installed into .venv.

PORT ?= 8000
HOST ?= 127.0.0.1
OPEN ?= 1

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
NODE_CHECKS := tests/frontend/node_modules
BIOME := $(BIN)/node $(NODE_CHECKS)/@biomejs/biome/bin/biome
BUILD_PAGE := $(PY) hatch_build.py
# One BLAS thread a process: the same sums whatever the machine. Bytecode is written whatever the caller says, since a
# suite starts a hundred processes.
ONE_THREAD := PYTHONDONTWRITEBYTECODE= OPENBLAS_NUM_THREADS=1
PYTEST := $(ONE_THREAD) $(PY) -m pytest --quiet --dist worksteal
# pytest; with CI=true, the failed tests once more and alone
TWICE := $(ONE_THREAD) PYTHONPATH=tests $(PY) -m support.second_run
NPM_CI := PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --prefix tests/frontend --no-audit --no-fund --silent
PIP_INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check

# Verbs run in the order written, also under -j: the cheap checks come first, and two test suites never share the cores.
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help run install page docs watch compiling install-test test test-long lint types layers check-js test-frontend test-python test-browser \
        test-pythons coverage mutants chaos fulldisk powerloss siege soak lives doctor lighthouse bench screenshot images format lock release image verify-image clean

help: ## list the verbs
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# --- running --------------------------------------------------------------------------------------------------------

# The server computes with NumPy until the compiled kernels are there, so nobody waits for the compiler.
run: $(VENV)/installed compiling ## start fallline and open it in the browser (PORT=8000, HOST=127.0.0.1, OPEN=1)
	@$(MAKE) --no-print-directory --jobs=2 page docs
	@exec $(BIN)/fallline serve --host $(HOST) --port $(PORT) $(if $(filter-out 0 no false,$(OPEN)),--open)

install: $(VENV)/compiled page docs ## install fallline into .venv, without starting it

page: $(VENV)/installed ## build the page into frontend/dist where its sources have changed
	@$(BUILD_PAGE)

docs: site/index.html ## build the documentation into site, which the server serves at /docs/

watch: $(VENV)/installed compiling page ## start fallline, and build the page again after each change of its sources
	@$(BIN)/node frontend/build.mjs --watch & trap "kill $$! 2>/dev/null" EXIT INT TERM; \
	$(BIN)/fallline serve --host $(HOST) --port $(PORT) $(if $(filter-out 0 no false,$(OPEN)),--open)

# The stamps are what makes a second run quick: nothing is asked of pip until a lock or the package's metadata changes.
$(VENV)/installed: $(VENV)/created pyproject.toml requirements/run.txt requirements/build.txt
	@echo "== installing fallline into $(VENV)"
	@$(PIP_INSTALL) --no-compile --only-binary :all: --require-hashes -r requirements/run.txt -r requirements/build.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# Compiling takes one core; meanwhile the other builds the page and the documentation.
$(VENV)/compiled: $(VENV)/installed
	@echo "== compiling the kernels"
	@$(MAKE) --no-print-directory page docs & built=$$!; $(BIN)/fallline warm >/dev/null || echo "NumPy will serve"; wait $$built
	@touch $@

site/index.html: $(VENV)/installed-docs mkdocs.yml $(shell find docs -type f)
	@echo "== building the documentation"
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

$(VENV)/installed-docs: $(VENV)/installed requirements/docs.txt
	@$(PIP_INSTALL) --no-compile --only-binary :all: --require-hashes -r requirements/docs.txt
	@touch $@

$(VENV)/created:
	@sh .ci/create-venv $(VENV)
	@touch $@

# --- testing --------------------------------------------------------------------------------------------------------

test: compiling install-test lint types layers check-js test-frontend test-python test-browser ## run every check and every test

test-long: install-test ## what takes longer: the tests that make test leaves out
	@sh .ci/install-curl
	@$(PY) tests/browser/chromium.py
	@$(BIN)/fallline warm >/dev/null
	@echo "== pytest, what takes longer"
	@$(PYTEST) -n 2 --hypothesis-profile=long -m "long or hypothesis" tests

# Compiling takes one core most of a minute. Nothing that is installed, built and checked first needs it, and who needs
# it waits at its lock.
compiling: $(VENV)/installed
	@$(BIN)/fallline warm </dev/null >/dev/null 2>&1 &

install-test: $(VENV)/installed-test $(NODE_CHECKS)/installed page docs

# Of what the tests need, most is never imported: what is, is compiled then.
$(VENV)/installed-test: $(VENV)/installed requirements/test.txt
	@echo "== installing what the tests need into $(VENV)"
	@$(PIP_INSTALL) --no-compile --only-binary :all: --require-hashes -r requirements/test.txt
	@touch $@

$(NODE_CHECKS)/installed: $(VENV)/installed-test tests/frontend/package.json tests/frontend/package-lock.json
	@echo "== installing what checks the frontend"
	@$(NPM_CI) --omit=dev
	@touch $@

lint: $(VENV)/installed-test $(NODE_CHECKS)/installed ## ruff and Biome: rules and formatting
	@echo "== ruff"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "formatting differs: make format"; exit 1; }
	@echo "== biome"
	@$(BIOME) ci --error-on-warnings --log-level=warn

types: $(VENV)/installed-test ## mypy --strict
	@echo "== mypy --strict"
	@$(BIN)/mypy --strict

layers: $(VENV)/installed-test ## import-linter: imports point down
	@echo "== import-linter"
	@$(BIN)/lint-imports --no-logo

check-js: install-test ## tsc --strict over the frontend and its tests
	@echo "== tsc"
	@$(BIN)/node $(NODE_CHECKS)/typescript/bin/tsc --noEmit -p frontend
	@$(BIN)/node $(NODE_CHECKS)/typescript/bin/tsc --noEmit -p tests/frontend

test-frontend: install-test ## node --test: the frontend's logic
	@echo "== node --test"
	@$(BIN)/node --test tests/frontend/*.test.ts

# Servers have deadlines that their tests wait for: those come first, and a worker more than there are cores computes
# meanwhile.
test-python: install-test ## pytest: unit, contracts, integration, architecture
	@sh .ci/install-curl
	@$(PY) tests/support/reverse_proxies.py
	@$(BIN)/fallline warm >/dev/null
	@echo "== pytest"
	@$(TWICE) --quiet --dist worksteal -n 3 -m "not long" --ignore=tests/browser tests/integration tests

# A test waits for its page, for a server that starts or for a line that is lost a fifth of its time: a third one goes on.
test-browser: install-test ## pytest: the page in Chromium
	@echo "== pytest, in the browser"
	@$(PY) tests/browser/chromium.py
	@$(PY) tests/support/reverse_proxies.py
	@$(BIN)/fallline warm >/dev/null
	@$(TWICE) --quiet --dist worksteal -n 2 -m "not long" tests/browser

# After make test, which has run the tests on one Python in one environment already.
test-pythons: install-test ## pytest: unit, contracts, integration, on the oldest and newest Python here, with two BLAS kernels; ALL=1 crosses them
	@sh .ci/install-curl
	@PYTHONPATH=tests $(PY) -m support.pythons $(if $(ALL),--all)

coverage: install-test ## count the branches of the backend that tests without a browser reach: at least 92 %
	@sh .ci/install-curl
	@$(BIN)/fallline warm >/dev/null
	@echo "== pytest, with coverage"
	@$(BIN)/coverage erase
	@$(ONE_THREAD) $(BIN)/coverage run -m pytest --quiet --dist worksteal -n 2 -m "not long" \
	  tests/integration tests/unit tests/contracts
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

mutants: install-test $(VENV)/installed-mutants ## break engine and history in 200 places: a test must notice each (SAMPLE, SEED, MINUTES)
	@$(PY) tests/mutants/run.py --sample $(or $(SAMPLE),200) --seed $(or $(SEED),13) --minutes $(or $(MINUTES),600)

# Without yattag, which has no wheel: Cosmic Ray needs it for reports that nobody makes here.
$(VENV)/installed-mutants: $(VENV)/installed-test requirements/mutants.txt
	@$(PIP_INSTALL) --no-compile --no-deps --only-binary :all: --require-hashes -r requirements/mutants.txt
	@touch $@

chaos: install-test ## cuts and kills at random moments: 0 of 3,000 acknowledged commands lost, doubled or different; both mutants caught
	@$(BIN)/fallline warm >/dev/null
	@OPENBLAS_NUM_THREADS=1 $(PY) tests/chaos/run.py

fulldisk: install-test ## a server on a real disk that fills up, again and again: nothing acknowledged falsely; needs Linux with user namespaces
	@$(BIN)/fallline warm >/dev/null
	@OPENBLAS_NUM_THREADS=1 $(PY) tests/chaos/full_disk.py

powerloss: install-test ## what 300 power losses leave on the disk: nothing acknowledged lost, nothing half there; three mutants caught
	@OPENBLAS_NUM_THREADS=1 $(PY) tests/powerloss/run.py

soak: install-test ## 300 people on one server, and its restarts, each goal beside its figure; PEOPLE=300; MUTANTS=1 plants faults, which must be seen; SIZES="10 30" prints what such classes need
	@$(BIN)/fallline warm >/dev/null
	@OPENBLAS_NUM_THREADS=1 $(PY) tests/soak/run.py --people $(or $(PEOPLE),300) $(if $(MUTANTS),--mutants) $(if $(SIZES),--sizes $(SIZES))

siege: install-test ## attack a real server beside a person who trains: each goal must be met; MUTANTS=1 takes mends back, which must be seen
	@$(BIN)/fallline warm >/dev/null
	@OPENBLAS_NUM_THREADS=1 $(PY) tests/siege/run.py $(if $(MUTANTS),--mutants)

lives: install-test ## whatever one does to an experiment, in any order: 400 lives, each replayed to the bit
	@OPENBLAS_NUM_THREADS=1 $(PY) -m pytest --quiet --hypothesis-profile=explore tests/integration/test_any_life.py

doctor: install-test ## compare the Doctor with an oracle over 300 healthy and 300 planted runs, and 60 a seed (SEEDS="1 2 3")
	@OPENBLAS_NUM_THREADS=1 PYTHONPATH=tests $(PY) -m doctor.run --seeds $(or $(SEEDS),1 2 3)

# Beside the locked packages it needs many that nothing else does, so it is installed when it is called.
lighthouse: install-test $(NODE_CHECKS)/installed-lighthouse ## run Lighthouse over the page: 100, 100 and at least 95 of 100
	@$(PY) tests/browser/chromium.py
	@$(BIN)/fallline warm >/dev/null
	@$(ONE_THREAD) $(PY) tests/browser/lighthouse.py

$(NODE_CHECKS)/installed-lighthouse: $(NODE_CHECKS)/installed
	@echo "== installing Lighthouse"
	@$(NPM_CI)
	@touch $(NODE_CHECKS)/installed $@

# --- other chores ---------------------------------------------------------------------------------------------------

# The two variables pin an old kernel on machines whose old OpenBLAS needs it; they slow a current NumPy.
bench: install-test ## measure speed beside every rival, into benchmarks/RESULTS.md (QUICK=1 prints rough figures)
	-@$(PY) tests/browser/chromium.py
	@$(BIN)/fallline warm >/dev/null
	@env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(PY) benchmarks/run.py $(if $(QUICK),--quick)

screenshot: install-test ## take the moving picture of the page for the README
	@$(PY) tests/browser/chromium.py
	@$(PY) tests/browser/screenshot.py

images: install-test ## take the images that tests compare the page's screens with; those that look the same stay
	@$(PY) tests/browser/chromium.py
	@$(BIN)/fallline warm >/dev/null
	@$(ONE_THREAD) $(PY) tests/browser/looks.py

format: $(VENV)/installed-test $(NODE_CHECKS)/installed ## put imports and layout in order
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .
	@$(BIOME) check --write --log-level=warn

LOCK := uv pip compile --quiet --no-config --universal --python-version 3.11 --fork-strategy fewest --only-binary :all: \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-build-options \
        --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

# The same versions on every Python (fewest forks), so that the same recipe gives the same numbers everywhere.
lock: $(VENV)/installed-test ## write the locks anew from pyproject.toml and package.json (UPGRADE=1 takes newer versions)
	@$(PIP_INSTALL) uv
	@$(BIN)/$(LOCK) pyproject.toml --extra fast --extra datasets --group test -o requirements/test.txt
	@$(BIN)/$(LOCK) pyproject.toml --extra fast -c requirements/test.txt -o requirements/run.txt
	@$(BIN)/$(LOCK) --group build -c requirements/test.txt -o requirements/build.txt
	@$(BIN)/$(LOCK) --group docs -c requirements/test.txt -o requirements/docs.txt
	@$(BIN)/$(LOCK) --group mutants --no-binary yattag --no-emit-package yattag -c requirements/test.txt \
	  -o requirements/mutants.txt
	@for folder in frontend tests/frontend; do \
	  PATH="$(CURDIR)/$(BIN):$$PATH" npm install --prefix $$folder --package-lock-only \
	    --omit-lockfile-registry-resolved --no-audit --no-fund --loglevel=error || exit 1; \
	done

release: install-test docs ## build wheel, sdist, SBOM, notes and checksums into dist/ (VERSION=x.y.z writes the version instead)
	@$(PY) .ci/release.py $(VERSION)

image: ## build the container image with Docker
	docker build -t fallline .

verify-image: $(VENV)/installed-test ## build and run the image with buildah and podman, and check what it promises
	@bash tests/container/verify.sh

clean: ## remove what was built, measured and cached; .venv and .venvs stay
	rm -rf benchmarks/.rivals dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis \
	  $(NODE_CHECKS) frontend/node_modules frontend/dist site
	find backend tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
