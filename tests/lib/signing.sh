# Attacks on signed backups in the local store; sourced after the other parts of the library.
#
#   store_new, store_keep, store_back     an empty store without memory; a copy of it; the copy in its place
#   forge SET JQ-FILTER                   the manifest of a set changed, with a digest of its own that fits
#   restate SET                           its signature made to name that manifest
#   rename_set OLD NEW                    all objects of a set under another name, told so by its manifest
#   refuses WHAT SET WHY                  restore, fetch, verify refuse it (13); `signed` sets the key
#   fresh COMMAND...                      on a host with this store and no memory

store_new() {
    rm -rf "$BACKUP_DIR" "$T/kept"
}

store_keep() {
    rm -rf "$T/kept" && cp -a "$BACKUP_DIR" "$T/kept"
}

store_back() {
    rm -rf "$BACKUP_DIR" && cp -a "$T/kept" "$BACKUP_DIR"
}

forge() {
    local file=$BACKUP_DIR/$1.shop.manifest.json
    jq "del(.digest) | $2" "$file" >"$T/forged" || return 1
    jq --arg digest "$(jq -cSj . "$T/forged" | sha256sum | cut -d' ' -f1)" '.digest = $digest' "$T/forged" >"$file"
}

rename_set() {
    local file
    for file in "$BACKUP_DIR/$1"*; do
        mv "$file" "$BACKUP_DIR/$2${file#"$BACKUP_DIR/$1"}"
    done
    sed -i "s/$1/$2/g" "$BACKUP_DIR/$2.shop.manifest.json" "$BACKUP_DIR/$2.shop.sha256"
    forge "$2" '.created_at = "2099-01-01T00:00:00Z"'
}

restate() {
    sed -i "s/^manifest .*/manifest $(sha256sum <"$BACKUP_DIR/$1.shop.manifest.json" | cut -d' ' -f1)/" "$BACKUP_DIR/$1.shop.signature"
}

refuses() {
    local out
    out=$(mktemp -d "$T/outXXX")
    exit_is 13 "$1: no restore" signed sr restore "$2" --into copy --create --yes
    contains "$1: it is said why" "$ERR" "$3"
    is "$1: nothing was touched" "$(q postgres "SELECT count(*) FROM pg_database WHERE datname = 'copy'")" 0
    exit_is 13 "$1: no fetch" signed sr fetch "$2" --output "$out"
    exit_is 13 "$1: no verify" signed sr verify "$2"
}

fresh() {
    local rc state=$BACKUP_DIR/.strongroom
    rm -rf "$T/state" && mv "$state" "$T/state"
    signed "$@"
    rc=$?
    rm -rf "$state" && mv "$T/state" "$state"
    return "$rc"
}
