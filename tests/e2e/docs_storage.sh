# strongroom-storage(3) tells what include/strongroom/storage.h declares, no more and no less.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
page=$SR_SRCDIR/docs/strongroom-storage.3
update=$SR_SRCDIR/scripts/update-storage-man.sh
ok 'the declarations can be made anew' "$update" -
is 'and are those that are there (else: run scripts/update-storage-man.sh)' "$(diff "$T/out" "$page")" ''
ok 'the header is read' "$update" --header
cp "$T/out" "$T/header"

# Names that the header makes: macros, structs, enumerators, fields and slots; not those of parameters.
{
    sed -n 's/^#\(define\|ifdef\) \([A-Z_0-9]*\).*/\2/p; s/^struct \([a-z_]*\) {$/\1/p' "$T/header" | grep -v -e '^STRONGROOM_STORAGE_H$' -e '^__'
    sed -n 's/^ *\(SR_[A-Z0-9_]*\) = .*/\1/p' "$T/header"
    sed -n 's/^typedef .*(\*\([a-z_]*\)).*/\1/p' "$T/header"
    awk '/^struct .*\{$/ {on = 1; next} /^};$/ {on = 0} on' "$T/header" |
        awk -v RS=';' '{
            if (match($0, /\(\*[a-z_]+\)/)) { print substr($0, RSTART + 2, RLENGTH - 3); next }
            gsub(/\[[^]]*\]/, "")
            n = split($0, part, ",")
            for (i = 1; i <= n; i++) if (match(part[i], /[a-z_0-9]+ *$/)) print substr(part[i], RSTART, RLENGTH)
        }'
} | tr -d ' ' | sort -u >"$T/names"
ok 'they are many' test "$(wc -l <"$T/names")" -gt 150
is 'with fields' "$(grep -cx -e retain_until -e checksum -e max -e may_delete "$T/names")" 4
is 'and slots' "$(grep -cx -e delete_object -e late_key -e is_cancelled -e answer "$T/names")" 4

# What the page says in its own words: without the declarations; its bold words and
# the headings of its slots are names of the interface.
awk '/^\.\\" header: / {on = 1} !on; /^\.\\" end$/ {on = 0}' "$page" | sed 's/\\-/-/g' >"$T/text"
awk '/^\.SS / { print $2 }
/^\.(B|BR|RB|BI|IB) / {
    font = $1; sub(/^\.[A-Z]+ +/, ""); bold = font != ".RB" && font != ".IB"
    while (length($0)) {
        if (match($0, /^"[^"]*"/)) word = substr($0, 2, RLENGTH - 2)
        else { match($0, /^[^ ]+/); word = substr($0, 1, RLENGTH) }
        $0 = substr($0, RLENGTH + 1); sub(/^ +/, "")
        if (font == ".B" || bold) { n = split(word, w, / +/); for (i = 1; i <= n; i++) print w[i] }
        bold = !bold
    }
}' "$T/text" | sort -u >"$T/bold"
is 'the page explains every name of the header' "$(comm -23 "$T/names" "$T/bold" | tr '\n' ' ')" ''
cat >"$T/others" <<'END'
--variable=plugindir
BACKUP_PLUGIN_PATH
longjmp
pkg-config
poll
strongroom
strongroom-local
strongroom-plugin-check
struct
END
is 'and has no other' "$(sort -u "$T/names" "$T/others" | comm -13 - "$T/bold" | tr '\n' ' ')" ''
is 'nor one that looks like it anywhere' "$(sed -e '/^\.\\"/d' -e 's/\\-/-/g' "$page" | grep -oE '\b(SR|sr)_[A-Za-z0-9_]*' | sort -u |
    while read -r name; do grep -qw -- "$name" "$T/header" || echo "$name"; done)" 'sr_storage_plugin_entry_hello'

# Every slot in turn, with its duty and the four questions about it.
awk '/^struct sr_storage_plugin \{$/ {on = 1} /^};$/ {on = 0} on' "$T/header" | sed -n 's/.*(\*\([a-z_]*\))(.*/\1/p' >"$T/slots"
ok 'slots are found' test "$(wc -l <"$T/slots")" -ge 15
is 'each slot has its part, in their order' "$(awk '/^\.SH SLOTS/ {on = 1; next} /^\.SH/ {on = 0} on && /^\.SS/ {print $2}' "$page")" "$(cat "$T/slots")"
wrong=''
while read -r slot; do
    asked=$(awk -v s=".SS $slot" '$0 == s {on = 1; next} /^\.S[SH]/ {on = 0} on && /^\.I / {sub(/^\.I /, ""); print}' "$page" |
        grep -xE 'May be absent|Threads|Ownership|Errors, and what they leave' | tr '\n' ' ')
    [ "$asked" = 'May be absent Threads Ownership Errors, and what they leave ' ] || wrong+="$slot: $asked; "
    # The header and the page agree whether it is required.
    needed=$(awk -v s="(*$slot)(" '/^struct sr_storage_plugin \{$/ {on = 1} on {text = text $0 " "} on && index($0, s) {exit} on && /\);$/ {text = ""} END {print (text ~ /Required\./ ? "No." : "Yes:")}' "$SR_SRCDIR/include/strongroom/storage.h")
    said=$(awk -v s=".SS $slot" '$0 == s {on = 1; next} /^\.S[SH]/ {on = 0} on && /^\.I May be absent/ {getline; print $1; exit}' "$page")
    [ "$needed" = "$said" ] || wrong+="$slot: the header says $needed the page $said; "
done <"$T/slots"
is 'each answers whether it may be absent, threads, ownership and errors' "$wrong" ''

for width in 60 80 132; do
    exit_is 0 "the page is well formed at $width columns" with MANWIDTH=$width man --warnings -l -Tutf8 "$page"
    is 'without a warning' "$ERR" ''
done
finish
