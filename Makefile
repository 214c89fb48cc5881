# The commands of this repository that come before `invoke` exists, and the checks. Works with GNU make 3.81 (macOS) and later.

.DEFAULT_GOAL := help
.PHONY: help venv demo test test-blueprints lint types format docs requirements clean FORCE

BIN := .venv/bin
READY := .venv/.ready
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make requirements"

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s%s\n", $$1, $$2 }' Makefile

venv: $(READY) ## make .venv and get the Pulumi CLI; instant when both are there
	@$(BIN)/python -m ops.toolchain

demo: venv ## deploy the dev environment onto a local AWS, from nothing, and pay through it
	@$(BIN)/invoke deploy --env dev --target local --smoke

test: $(READY) ## run the whole test suite (a missing CLI is an error in CI, and elsewhere skips the tests that need it)
	@$(BIN)/python -m ops.toolchain || test -z "$$CI"
	@$(BIN)/pytest -n auto --ignore tests/blueprints

test-blueprints: $(READY) ## deploy, pay through and destroy every customer's environments on the local AWS (some fifteen minutes)
	@$(BIN)/python -m ops.toolchain || test -z "$$CI"
	@$(BIN)/pytest -n auto tests/blueprints

lint: $(READY) ## ruff, yamllint, codespell, deptry, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/yamllint --strict .
	$(BIN)/codespell
	$(BIN)/deptry .
	$(BIN)/lint-imports

types: $(READY) ## pyright; fetches it from the npm registry the first time
	@$(BIN)/pyright --version || { echo "error: pyright could not start: it is a Node.js program (14 or newer on PATH), and its first start fetches it from the npm registry" >&2; exit 1; }
	$(BIN)/pyright --pythonpath $(BIN)/python

format: $(READY) ## rewrite the code as `make lint` wants it
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

docs: $(READY) ## write the generated parts of README.md and docs/
	$(BIN)/python -m ops.docs
	$(BIN)/python -m ops.pci
	$(BIN)/python -m tests.briefs.document > docs/briefs.md.new
	mv docs/briefs.md.new docs/briefs.md
	$(BIN)/python -m payments.openapi > docs/openapi.json.new
	mv docs/openapi.json.new docs/openapi.json

requirements: $(READY) ## lock requirements/*.in again; UPGRADE=1 takes the newest versions
	$(LOCK) $(if $(UPGRADE),--upgrade) requirements/development.in --output-file requirements/all.txt
	$(LOCK) --constraints requirements/all.txt requirements/bootstrap.in --output-file requirements/bootstrap.txt

clean: ## remove .venv and caches; .local (the CLI, the local cloud's state) stays
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.local/*' -prune -exec rm -rf {} +

# A checkout that was moved has scripts that name the old place: its environment is made again.
$(READY): requirements/all.txt requirements/bootstrap.txt tools/make-venv $(if $(filter "$(CURDIR)","$(shell cat $(READY) 2>/dev/null)"),,FORCE)
	@tools/make-venv

FORCE:
