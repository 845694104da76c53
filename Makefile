# Every target needs only Python 3.11 or newer, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9

# The tests start many short processes, and each would compile everything again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo run test quick check audit sbom wheel texts rows schema prove mutants crash drill bench lock

help: ## list all targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 14

setup: $(VENV)/.run ## make .venv and install what running needs, from the lock file with hashes

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit("Ajar needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q bot
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

demo: setup ## run the whole bot in a browser, without Telegram
	$(BIN)/python -m bot demo $(ARGS)

run: setup ## run against Telegram (needs AJAR_BOT_TOKEN)
	$(BIN)/python -m bot run

test: $(VENV)/.dev ## run all tests and checks, several at once (ARGS="-n 8" for eight)
	$(BIN)/python -m pytest -n auto --ignore=tests/prove --ignore=tests/drill $(ARGS)

QUICK := $(addprefix tests/,content delivery domain library services storage tg)
quick: $(VENV)/.dev ## run the tests of rules, services and storage that start no process: under a minute
	$(BIN)/python -m pytest -n logical -m "not process" $(QUICK) $(ARGS)

check: $(VENV)/.dev ## check style, types, imports, catalogs, content, documents, licences and known weaknesses: under a minute
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m bot content check
	$(BIN)/python -m pytest -q tests/test_i18n.py tests/content tests/test_docs.py tests/test_dependencies.py
	$(BIN)/python -m tests.audit

audit: $(VENV)/.dev ## ask PyPI's advisories about everything that runs
	$(BIN)/python -m tests.audit

sbom: $(VENV)/.dev ## write dist/ajar.cdx.json, the list of everything that is in a release
	@mkdir -p dist
	$(BIN)/python -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml --output-reproducible -o dist/ajar.cdx.json requirements.lock

wheel: $(VENV)/.dev ## build dist/*.whl, the same bytes from the same commit
	$(BIN)/python -m hatchling build -t wheel

BABEL := --project=Ajar --copyright-holder="the Ajar authors" -F babel.cfg -s --add-location=file -w 120
texts: $(VENV)/.dev ## add new texts to the catalogs of all languages, for translators
	$(BIN)/pybabel -q extract $(BABEL) --version=bot -k say -k plural:1,2 -c Translators: --header-comment="# The texts of Ajar's screens, taken from bot/tg by make texts." -o locales/bot.pot bot/tg
	$(BIN)/pybabel -q extract $(BABEL) --version=content --header-comment="# The texts of the Ajar library, taken from content/ by pybabel; content/README.md says how." -o locales/content.pot content
	$(BIN)/pybabel -q update -D bot -i locales/bot.pot -d locales -w 120 --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	$(BIN)/pybabel -q update -D content -i locales/content.pot -d locales -w 120 --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date

rows: $(VENV)/.dev ## add new kinds of Results to those that later versions must read
	$(BIN)/python -m tests.domain.write_rows

schema: $(VENV)/.dev ## write docs/export.schema.json, the form of an export
	$(BIN)/python -c "import json; from bot.export_document import schema; print(json.dumps(schema(), indent=2))" > docs/export.schema.json

prove: $(VENV)/.dev ## run the long proofs, like power losses, a failing disk, a year of users, thousands of silent lives (docs/proofs.md)
	$(BIN)/python -m pytest -s tests/prove/slots.py tests/prove/test_*.py --timeout=7200 $(ARGS)
	AJAR_SCREENS=10000 $(BIN)/python -m pytest -q tests/tg/test_screens.py --timeout=7200 $(ARGS)
	AJAR_WHOLE=1 $(BIN)/python -m pytest -q tests/domain tests/services tests/tg tests/journeys/test_start.py tests/test_*.py --timeout=7200 $(ARGS)

mutants: $(VENV)/.dev ## change central modules bit by bit and see whether their tests notice (docs/proofs.md)
	$(BIN)/mutmut run $(ARGS)
	$(BIN)/mutmut results

crash: $(VENV)/.dev ## kill the bot 200 times on SQLite, on PostgreSQL and as one of three processes, and at every single point
	AJAR_CRASH_KILLS=$${AJAR_CRASH_KILLS:-200} $(BIN)/python -m pytest tests/crash tests/storage/test_migrate.py::test_killed_migration_is_completed --timeout=3600 -s $(ARGS)

drill: $(VENV)/.dev ## kill the primary of a PostgreSQL cluster 20 times under three processes (needs Debian's patroni, etcd-server, haproxy, pgbouncer)
	$(BIN)/python -m pytest tests/drill --timeout=3600 -s $(ARGS)

bench: $(VENV)/.dev ## measure Ajar beside bare bots, loops, schedulers and drivers: about ten minutes (ARGS="--only sending" for a part)
	$(BIN)/python -m tests.bench $(ARGS)

lock: | $(BIN)/uv ## update the lock files from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --group dev -o requirements-dev.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -c requirements-dev.lock pyproject.toml --group build -o requirements.lock
