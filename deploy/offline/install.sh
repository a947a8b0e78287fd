#!/bin/sh
# Installs Dazi from this bundle, without a network: sh install.sh [PREFIX], /opt by default.
# Each version has a folder of its own, PREFIX/dazi-VERSION; PREFIX/dazi leads to the one in use. Going
# back is `ln -sfn dazi-OLDER PREFIX/dazi` (and the data of that version: see the page on backups).
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
prefix=${1:-/opt}
python=${PYTHON:-python3}

"$python" -I -B "$here/verify.py" "$here"
version=$("$python" -I -c 'import json, sys; print(json.load(open(sys.argv[1]))["version"])' "$here/bundle.json")
to=$prefix/dazi-$version

if [ -e "$to" ]; then
    echo "$to 已经在了,先移走 is there already: move it away first" >&2
    exit 1
fi
if [ -e "$prefix/dazi" ] && [ ! -L "$prefix/dazi" ]; then
    echo "$prefix/dazi 不是由此安装的 was not made by this: move it away first" >&2
    exit 1
fi
mkdir -p "$prefix"
# What was broken off is taken away again.
trap 'rm -rf "$to"' EXIT
trap 'exit 130' INT TERM
"$python" -I -m venv "$to"
"$to/bin/python" -I -m pip install --quiet --disable-pip-version-check --isolated \
    --no-index --find-links "$here/wheels" --no-deps --only-binary :all: --require-hashes \
    -r "$here/requirements.lock" -r "$here/dazi.lock"
trap - EXIT INT TERM
ln -sfn "dazi-$version" "$prefix/dazi"
echo "$prefix/dazi -> dazi-$version"
echo "$prefix/dazi/bin/dazi doctor"
