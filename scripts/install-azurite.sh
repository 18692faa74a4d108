#!/bin/bash
# install-azurite.sh FOLDER: installs Azurite, Microsoft's emulator of Azure Storage, of one version into FOLDER,
# where it is not there yet, and prints the path of its program for blobs. Needs node and npm (packages.txt), and
# the registry of npm once.
set -euo pipefail
version=3.37.0
folder=${1:?usage: install-azurite.sh FOLDER}/azurite-$version
program=$folder/node_modules/azurite/dist/src/blob/main.js
if [ ! -e "$folder/.complete" ]; then
    rm -rf "$folder"
    mkdir -p "$folder"
    printf '{"private":true}\n' >"$folder/package.json"
    # What its dependencies want to run at installation is none of a store's affair.
    npm install --prefix "$folder" --no-audit --no-fund --ignore-scripts --loglevel=error "azurite@$version" >"$folder/npm.log" 2>&1 || {
        cat "$folder/npm.log" >&2
        exit 1
    }
    touch "$folder/.complete"
fi
[ -e "$program" ] || {
    echo "install-azurite.sh: there is no $program" >&2
    exit 1
}
echo "$program"
