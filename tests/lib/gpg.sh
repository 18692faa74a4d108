# Throw-away OpenPGP keys; sourced after env.sh.
#
#   gpg_home [ADDRESS]   new GNUPGHOME with a key without passphrase for ADDRESS (default
#                        backup@example.test); sets and exports GNUPGHOME, sets GPG_FPR
#   gpg_key ADDRESS [EXPIRY]   one more key in the current GNUPGHOME; sets GPG_FPR
#   gpg_public_home      a second home that holds only the public keys of the first, as on a server;
#                        sets GPG_PUBLIC_HOME, leaves GNUPGHOME as it is. Without owner trust, as
#                        after a plain `gpg --import`.

gpg_quiet() {
    gpg --batch --quiet --no-tty "$@" 2>>"$T/gpg.log"
}

gpg_home() {
    export GNUPGHOME
    GNUPGHOME=$(mktemp -d "$T/gXXX")
    chmod 700 "$GNUPGHOME"
    at_exit "GNUPGHOME=$GNUPGHOME gpgconf --kill all >/dev/null 2>&1"
    gpg_key "${1:-backup@example.test}"
}

gpg_key() {
    gpg_quiet --passphrase '' --pinentry-mode loopback --quick-generate-key "$1" future-default default "${2:-never}" || {
        cat "$T/gpg.log" >&2
        return 1
    }
    GPG_FPR=$(gpg_quiet --list-keys --with-colons "=$1" | awk -F: '$1 == "fpr" {print $10; exit}')
    [ -n "$GPG_FPR" ] || GPG_FPR=$(gpg_quiet --list-keys --with-colons "$1" | awk -F: '$1 == "fpr" {print $10; exit}')
    [ -n "$GPG_FPR" ]
}

gpg_public_home() {
    GPG_PUBLIC_HOME=$(mktemp -d "$T/gXXX")
    chmod 700 "$GPG_PUBLIC_HOME"
    at_exit "GNUPGHOME=$GPG_PUBLIC_HOME gpgconf --kill all >/dev/null 2>&1"
    gpg_quiet --armor --export >"$T/public.asc"
    GNUPGHOME=$GPG_PUBLIC_HOME gpg_quiet --import "$T/public.asc"
}
