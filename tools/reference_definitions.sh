#!/usr/bin/env bash
# Fetches the original definitions of the zoo's models, which tests compare it with.
#
#   tools/reference_definitions.sh FOLDER
#   ASSAY_REFERENCE_DEFINITIONS=FOLDER ctest --test-dir build/ci -R check_definition
#
# The definitions are pure Python but for torchvision's compiled operators, which classification does
# not use: the file that registers them is emptied, so that the wheel need not match the installed
# torch. Behind them stands what they import, none of which runs a model.
set -euo pipefail

packages=(torchvision==0.29.1 pillow==13.0.0
  transformers==5.24.0 huggingface_hub==2.4.0 tokenizers==0.23.3 regex==2026.11.19 tqdm==4.70.1
  pyyaml==6.0.4 httpx2==2.16.2 httpcore2==2.16.2 anyio==4.16.0 h11==0.16.0 idna==3.20
  certifi==2026.10.19.post1 truststore==0.10.5 sniffio==1.3.1 typer==0.29.2 click==8.5.1
  rich==15.0.0 shellingham==1.5.4 hf_xet==1.8.0
  ultralytics==8.4.190 opencv_python_headless==5.0.0.93 matplotlib==3.11.2 psutil==7.2.2
  requests==2.34.2 urllib3==2.8.0 charset_normalizer==3.5.2)
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
