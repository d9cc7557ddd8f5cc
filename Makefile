# make build                          the demo invoices, or your own:
# make build INVOICES=my_invoices.csv
# make build VARS='{as_of: 2011-12-01}'
# make check INVOICES=my_invoices.csv  how that file is read, in seconds, without a build
# make score INVOICES=my_invoices.csv  new customers into the segments of the last build, and predicted, in seconds
# make test                           everything that must hold
# make report                         the report again, without a build
# make docs                           dbt's own documentation, as one file
# make lint | bench | demo | screenshots | clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Bytecode that can't be written makes every start of dbt twice as long.
unexport PYTHONDONTWRITEBYTECODE

# File names and settings are data: they go to the program by the environment, exactly as given.
# $(value) keeps make from expanding a $ in them, and no recipe puts them into shell text.
ifneq ($(origin INVOICES),undefined)
override INVOICES := $(value INVOICES)
export INVOICES
endif
ifneq ($(origin VARS),undefined)
override VARS := $(value VARS)
export VARS
endif

.PHONY: build check score report docs test lint bench demo screenshots clean
.DEFAULT_GOAL := build

$(VENV)/installed: requirements.txt scripts/set_up.sh
	@PYTHON="$(PYTHON)" sh scripts/set_up.sh $(VENV)

build check score report: $(VENV)/installed
	@$(BIN)/python scripts/build.py $@

docs: $(VENV)/installed
	@DBT_PROJECT_DIR="$(CURDIR)" DBT_PROFILES_DIR="$(CURDIR)" $(BIN)/dbt --quiet docs generate --static
	@echo "Docs: target/static_index.html"

lint: $(VENV)/installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@mkdir -p target/lint
	@WAREHOUSE_DIR=target/lint $(BIN)/python scripts/lint.py models analyses tests/*.sql

test: lint
	@$(BIN)/python -m pytest

# Five million lines: minutes, and not part of the tests.
bench: $(VENV)/installed
	@$(BIN)/python scripts/bench.py

# Writes data/demo/ again, byte for byte.
demo: $(VENV)/installed
	@$(BIN)/python data/demo/generate.py

# Pictures of what the last build drew, with Debian's chromium.
screenshots: $(VENV)/installed
	@$(BIN)/python scripts/screenshots.py report/segments.html docs/report$(if $(NAME),_$(NAME))

clean:
	rm -rf $(VENV) target logs warehouse/*.duckdb* report/segments.html
