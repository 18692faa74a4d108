# Every plugin of this build has its page, of one shape, with the settings that its own table declares.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
sr_env
BACKUP_PLUGIN_PATH=$(sr_plugin_path)
export BACKUP_PLUGIN_PATH
docs=$SR_SRCDIR/docs
shape='Synopsis
Description
Settings
Credentials
Examples
What the store'\''s own features change
See also'
mkdir "$T/pages"
ok 'the pages can be made anew' "$SR_SRCDIR/scripts/update-plugin-pages.sh" "$SR_BUILDDIR/strongroom" "$T/pages"
exit_is 0 'the plugins are told' sr plugins --json
cp "$T/out" "$T/plugins"
shipped=$(jq -r --arg at "$BACKUP_PLUGIN_PATH/" '.plugins[] | select(.loads and (.file | startswith($at))) | .name' "$T/plugins")
isnt 'there is one at least' "$shipped" ''
part() { # part NAME HEADING: of the page
    awk -v h="## $2" '$0 == h {on = 1; next} /^## / {on = 0} on' "$docs/$1.md"
}
of() { # of NAME FILTER: asks what the plugin says of itself
    jq -r --arg name "$1" ".plugins[] | select(.name == \$name) | $2" "$T/plugins"
}
for name in $shipped; do
    ok "docs/$name.md is there" test -s "$docs/$name.md"
    [ -s "$docs/$name.md" ] || continue
    is "$name: the page is the one that its table makes (else: run scripts/update-plugin-pages.sh)" "$(diff "$T/pages/$name.md" "$docs/$name.md")" ''
    is "$name: so is the manual page" "$(diff "$T/pages/strongroom-$name.7" "$docs/strongroom-$name.7")" ''
    is "$name: its title" "$(head -1 "$docs/$name.md")" "# The store \`$name\`"
    is "$name: its parts" "$(sed -n 's/^## //p' "$docs/$name.md")" "$shape"
    for heading in Synopsis Description Credentials Examples; do
        isnt "$name: $heading is not empty" "$(part "$name" "$heading")" ''
    done
    is "$name: every setting has the version it came in" "$(of "$name" '.settings[] | select(.since == null) | .key')" ''
    is "$name: the table has every setting" "$(part "$name" Settings | grep -o '^| `[A-Z0-9_]*`' | tr -d '|` ')" "$(of "$name" '.settings[].setting')"
    # The store's features: each capability told, none that it has not.
    told=$(part "$name" "What the store's own features change" | grep -o '`[a-z-]*`' | tr -d '`' |
        grep -xE 'late-key|atomic-create|ranges|sorted-list|lock|copy|versions|metadata|sure-sweep' | sort -u)
    is "$name: the page tells what it can do" "$told" "$(of "$name" '.capabilities[]' | sort)"
    # Names of its settings that stand in the text are names of its settings.
    is "$name: no setting that is none" "$(grep -oE "\bBACKUP_${name^^}_[A-Z0-9_]+" "$docs/$name.md" | sort -u |
        while read -r setting; do of "$name" '.settings[].setting' | grep -qx -e "$setting" -e "${setting%_FILE}" || echo "$setting"; done)" ''
    exit_is 0 "$name: the manual page is well formed" man --warnings -l -Tutf8 "$docs/strongroom-$name.7"
    is "$name: without a warning" "$ERR" ''
    ok "$name: docs/settings.md leads to it" grep -qF "]($name.md)" "$docs/settings.md"
    ok "$name: both are installed" grep -qE "docs/$name\.md" "$docs/Makefile.inc"
    ok "$name: indeed both" grep -qE "docs/strongroom-$name\.7" "$docs/Makefile.inc"
done
finish
