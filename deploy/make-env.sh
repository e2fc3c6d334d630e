#!/bin/sh
# Writes .env with fresh secrets for docker compose: once, since other ones would lock you out of what the volumes hold.
#   sh deploy/make-env.sh [FILE]
set -eu
file="${1:-$(dirname "$0")/../.env}"
if [ -e "$file" ]; then
  echo "$file is there already, and stays as it is: other secrets would not fit the data that was made with these." >&2
  exit 1
fi

# 32 bytes of the kernel's randomness, as hexadecimal digits.
secret() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

umask 077
# Whole or not at all: an empty secret must never come to be used.
draft="$file.$$"
trap 'rm -f "$draft"' EXIT
{
  echo "# Made by deploy/make-env.sh. Keep it: the volumes were set up with it. What else may stand here: .env.example"
  echo "TOUCHSTONE_ADMIN_KEY=sk_$(secret)"
  echo "CLICKHOUSE_PASSWORD=$(secret)"
  echo "GRAFANA_ADMIN_PASSWORD=$(secret)"
} >"$draft"
mv "$draft" "$file"

echo "$file is made; only you can read it. Start with"
echo
echo "  docker compose up --build --wait"
echo
echo "and then, to talk to it:"
echo
echo "  export TOUCHSTONE_URL=http://127.0.0.1:8080 TOUCHSTONE_KEY=\$(sed -n 's/^TOUCHSTONE_ADMIN_KEY=//p' .env)"
