#!/bin/bash
# install-packages.sh build|test...: installs what is missing of these groups of packages.txt.
# Needs root or sudo only when something is missing. No packaged daemon is started or stopped.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

missing=()
while read -r group package unless; do
    case " $* " in *" $group "*) ;; *) continue ;; esac
    # A program that is there in another way, node with an npm of its own for one, would clash with Debian's.
    [ -z "$unless" ] || ! command -v "$unless" >/dev/null || continue
    [ "$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)" = 'install ok installed' ] || missing+=("$package")
done < <(grep -v '^#' "$here/packages.txt")
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "missing packages, and neither root nor sudo to install them: ${missing[*]}" >&2
        exit 1
    }
    as_root=(sudo)
fi
echo "installing ${missing[*]}"

# Debian's own way to say that an install must not start services.
policy=/usr/sbin/policy-rc.d made=
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
    made=yes
fi
log=$(mktemp)
trap 'rm -f "$log"; [ -z "$made" ] || "${as_root[@]}" rm -f "$policy"' EXIT
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -qq -o DPkg::Lock::Timeout=600)
"${apt[@]}" install --no-install-recommends "${missing[@]}" >"$log" 2>&1 ||
    { "${apt[@]}" update >>"$log" 2>&1 && "${apt[@]}" install --no-install-recommends "${missing[@]}" >>"$log" 2>&1; } || {
    cat "$log" >&2
    exit 1
}
