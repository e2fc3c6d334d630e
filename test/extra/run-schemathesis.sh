#!/usr/bin/env bash
# Fuzzes the HTTP API of a whole server against its own OpenAPI document, with Schemathesis: no fault, no answer that the document leaves out,
# nothing taken that it forbids. Needs python3 with venv, and PyPI (or an index that pip is set up for). Takes about four minutes.
# Arguments go on to Schemathesis: --seed N repeats a run.
set -euo pipefail
cd "$(dirname "$0")/../.."

directory="$(mktemp -d)"
trap 'rm -rf "$directory"' EXIT

python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet --disable-pip-version-check --requirement test/extra/schemathesis/requirements.txt

node_modules/.bin/node test/extra/schemathesis/main.ts "$directory" "$@"
