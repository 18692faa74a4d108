#!/bin/bash
# install-azurite.sh FOLDER: installs Azurite, Microsoft's emulator of Azure Storage, of one version into FOLDER,
# where it is not there yet, and prints the path of its program for blobs. Needs node and npm (packages.txt), and
# the registry of npm once. Several may be run at a time: one installs, the others wait for it.
set -euo pipefail
version=3.37.0
mkdir -p "${1:?usage: install-azurite.sh FOLDER}"
folder=$1/azurite-$version
program=$folder/node_modules/azurite/dist/src/blob/main.js
exec 9>"$1/.lock"
flock 9
if [ ! -e "$folder/.complete" ]; then
    rm -rf "$folder"
    mkdir -p "$folder"
    printf '{"private":true}\n' >"$folder/package.json"
    # Node trusts a list of its own; a machine may reach the registry only by an authority that Debian's list has.
    authorities=/etc/ssl/certs/ca-certificates.crt
    [ -n "${NODE_EXTRA_CA_CERTS:-}" ] || [ ! -r "$authorities" ] || export NODE_EXTRA_CA_CERTS=$authorities
    # What its dependencies want to run at installation is none of a store's affair.
    npm install --prefix "$folder" --no-audit --no-fund --ignore-scripts --loglevel=error "azurite@$version" >"$folder/npm.log" 2>&1 9>&- || {
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
