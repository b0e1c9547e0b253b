#!/usr/bin/env bash
# Fetches the original definitions of the zoo's models, which tests compare it with.
#
#   tools/reference_definitions.sh FOLDER
#   ASSAY_REFERENCE_DEFINITIONS=FOLDER ctest --test-dir build/ci -R check_definition
#
# They are pure Python but for torchvision's compiled operators, which classification does not use:
# the file that registers them is emptied, so that the wheel need not match the installed torch.
set -euo pipefail

packages=(torchvision==0.29.1 pillow==13.0.0)
[ $# = 1 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
folder=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

/usr/bin/python3 -m venv "$work/venv"
"$work/venv/bin/pip" download --no-input --no-deps --only-binary :all: -d "$work" "${packages[@]}"
mkdir -p "$folder"
for wheel in "$work"/*.whl; do
  /usr/bin/python3 -m zipfile -e "$wheel" "$folder"
done
: >"$folder/torchvision/_meta_registrations.py"
echo "export ASSAY_REFERENCE_DEFINITIONS=$(cd "$folder" && pwd)"
