#!/bin/sh
# Makes the virtual environment $1 and installs the pinned requirements in it.
set -eu
venv=$1
python=${PYTHON:-python3}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Python 3.11 or newer is needed, and '$python' is $("$python" --version 2>/dev/null || echo missing)." \
        "Name another: make build PYTHON=python3.12" >&2
    exit 1
fi

echo "Setting up $venv: about a minute, once ..."
rm -rf "$venv"
if ! "$python" -m venv "$venv"; then
    echo "Python's venv is missing; on Debian and Ubuntu: apt install python3-venv" >&2
    exit 1
fi
if ! "$venv/bin/pip" install -qq --disable-pip-version-check --no-deps -r requirements.txt; then
    echo "The packages of requirements.txt could not be installed; pip says why above." >&2
    exit 1
fi

# With these, dbt finds the project from any directory in the activated environment.
project=$(pwd)
cat >> "$venv/bin/activate" <<EOF
export DBT_PROJECT_DIR="$project" DBT_PROFILES_DIR="$project"
unset PYTHONDONTWRITEBYTECODE
EOF
cat >> "$venv/bin/activate.fish" <<EOF
set -gx DBT_PROJECT_DIR "$project"
set -gx DBT_PROFILES_DIR "$project"
set -e PYTHONDONTWRITEBYTECODE
EOF

touch "$venv/installed"
