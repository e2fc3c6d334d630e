#!/usr/bin/env bash
# Checks docker-compose.yml, the Dockerfile and deploy/ with the tools made for them, without Docker. What runs everywhere is in test/deploy.
# Needs python3 with venv and PyPI (or an index that pip is set up for); promtool and nginx on the path, or apt-get to fetch Debian's packages
# from, which are unpacked into a directory of this run and not installed. What it can't check it names; in CI that is a failure.
set -euo pipefail
cd "$(dirname "$0")/../.."

directory="$(mktemp -d)"
trap 'rm -rf "$directory"' EXIT
export PATH="$PWD/node_modules/.bin:$directory/venv/bin:$PATH:$directory/root/usr/bin:$directory/root/usr/sbin"
failed=0

# check NAME COMMAND...: goes on after a failure, so that one run tells all.
check() {
  local name="$1"
  shift
  if "$@" >"$directory/output" 2>&1; then echo "ok: $name"; else
    echo "NOT ok: $name"
    sed 's/^/    /' "$directory/output"
    failed=1
  fi
}

left_out() {
  echo "left out: $1"
  if [[ "${CI:-}" == true ]]; then failed=1; fi
}

# Debian's package, unpacked here; a list of packages that is too old is renewed once, where we may.
fetch_package() {
  command -v apt-get >/dev/null || return 1
  mkdir -p "$directory/packages" "$directory/root"
  (
    cd "$directory/packages"
    apt-get download "$1" >/dev/null 2>&1 || { apt-get update >/dev/null 2>&1 && apt-get download "$1" >/dev/null 2>&1; } || exit 1
    dpkg-deb -x "$1"_*.deb "$directory/root"
  )
}

python3 -m venv "$directory/venv"
pip install --quiet --disable-pip-version-check --requirement test/extra/deploy/requirements.txt

check 'docker-compose.yml fits the compose specification' check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
check 'Dockerfile' hadolint Dockerfile
check 'YAML has no duplicate keys or loose ends' yamllint --strict --config-file test/extra/deploy/yamllint.yml docker-compose.yml deploy
check 'XML is well-formed' python3 -c 'import sys, xml.dom.minidom as m; [m.parse(f) for f in sys.argv[1:]]' deploy/clickhouse/*.xml
check 'deploy/make-env.sh parses' sh -n deploy/make-env.sh

if command -v promtool >/dev/null || fetch_package prometheus; then
  check 'Prometheus: for compose' promtool check config deploy/prometheus/prometheus.yml
  check 'Prometheus: for processes' promtool check config deploy/prometheus/prometheus.processes.yml
  check 'alerts fire when they should, and not when not' promtool test rules deploy/prometheus/tests/*.yml
  check 'dashboards: queries are listed' node test/extra/deploy/main.ts dashboards "$directory/dashboards.json"
  check 'dashboards: PromQL' promtool check rules "$directory/dashboards.json"
else
  left_out 'Prometheus and the dashboards, because there is no promtool and no package prometheus'
fi

if command -v nginx >/dev/null || fetch_package nginx; then
  check 'the proxy passes everything on, to the right service' node test/extra/deploy/main.ts proxy "$(command -v nginx)" "$directory/proxy"
else
  left_out 'the proxy, because there is no nginx and no package of that name'
fi

check 'the steps of the Dockerfile, in a directory, and what it starts' node test/extra/deploy/main.ts image "$directory/image"
echo 'not checked without Docker: that the images named can be had, and that theirs start read-only under the users given'

exit "$failed"
