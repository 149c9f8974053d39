# `make help` lists what there is. All logic is in tools/ and in the programs themselves.

PYTHON ?= $(shell python3.11 -c "" 2>/dev/null && echo python3.11 || echo python3)
PORT ?= 8080
# Few test processes, whatever the cores: tests start encodes and browsers, which use several cores each.
JOBS ?= 2
MEDIA ?=
BENCH ?=

VENV := .venv/bin/python
PYTEST := $(VENV) -m pytest -n $(JOBS) --dist loadfile -rs
CHECKS := tests/test_checks.py tests/test_layers.py tests/test_repository.py
COMPILE := .venv/upkeep/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header --no-annotate
AUDIT := .venv/upkeep/bin/pip-audit --strict --require-hashes --disable-pip --progress-spinner off

.PHONY: help demo test check bench audit pins format clean
.DEFAULT_GOAL := help

help:  ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo:  ## set up, make and encode sample titles, serve them; MEDIA="film.mkv song.flac" for others, PORT=8080
	@$(PYTHON) tools/setup.py demo
	@exec $(VENV) -m streamer.demo --data .data --port $(PORT) $(MEDIA)

test:  ## set up, then every check and test; ALLOW_SKIPS=1 leaves out what a missing server prevents
	@$(PYTHON) tools/setup.py test
	@$(VENV) -m tools.needs test
	@$(PYTEST)

check:  ## format, lint, types, layers and the repository's own rules; no server needed
	@$(PYTHON) tools/setup.py test
	@$(PYTEST) -q $(CHECKS)

bench:  ## set up, then the benchmarks, each one table; BENCH=name for one of them
	@$(PYTHON) tools/setup.py test
	@$(VENV) -m tools.needs bench
	@$(VENV) -m bench $(BENCH)

format:  ## put all files into the project's format
	@$(PYTHON) tools/setup.py test
	@$(VENV) -m ruff format --quiet . && $(VENV) -m ruff check --quiet --fix .

audit:  ## ask the vulnerability service about every pin; needs the network
	@$(PYTHON) tools/setup.py upkeep
	@for file in requirements*.txt; do echo "$$file" && $(AUDIT) -r $$file || exit 1; done

pins:  ## compile requirements*.txt anew from requirements*.in
	@$(PYTHON) tools/setup.py upkeep
	@for name in requirements requirements-build requirements-dev requirements-swift requirements-upkeep; do \
		$(COMPILE) $$name.in -o $$name.txt || exit 1; done

clean:  ## remove what the commands above made: environments, the demo's data, caches, builds
	@rm -rf .venv .data .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist streamer/web/vendor
	@find . -name __pycache__ -prune -exec rm -rf {} +
