#!/bin/bash
# update-plugin-pages.sh [PROGRAM [FOLDER]]: makes the pages of the storage plugins. Of each plugin that PROGRAM
# (default: build/strongroom) can load and that has a page docs/NAME.md:
#
#   docs/NAME.md           what stands between the marks in "Settings" comes from the plugin's own table
#   docs/strongroom-NAME.7 the same page for man(1); a table is a list there, of its first column
#
# With FOLDER the pages are written there instead. To be run after a change of a page or of a plugin's settings;
# tests/e2e/docs_plugins.sh fails until it was. A page has the headings of docs/local.md, in their order; of
# Markdown it uses paragraphs, `- ` lists, code indented by four, tables, `code`, **bold** and links. Needs jq.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
program=${1:-$top/build/strongroom}
folder=${2:-$top/docs}
export LC_ALL=C.UTF-8

describe() { # describe NAME: the plugin's part of `strongroom plugins NAME --json`
    env -i PATH="$PATH" ASAN_OPTIONS="${ASAN_OPTIONS:-}" BACKUP_PLUGIN_PATH="${BACKUP_PLUGIN_PATH:-}" \
        "$program" plugins "$1" --json 2>/dev/null | jq '.plugins[0]'
}

settings() { # settings < description: a table of Markdown
    echo '| setting | kind | default | since | meaning |'
    echo '|---|---|---|---|---|'
    jq -r '.settings[] |
        (if .default == null then "" else "`" + .default + "`" end) as $default |
        (.names // "" | split(" ") | map("`" + . + "`") | join(" ")) as $names |
        [ if .required then "required" else empty end,
          if .secret then "secret" else empty end,
          if .place and $names != "" then "\($names) counts for the store of the plugin'\''s own name alone"
          elif $names != "" then "also \($names)" else empty end ] as $notes |
        ([.help] + $notes | join("; ")) as $meaning |
        "| `\(.setting)` | \(.kind)\(if .choices then ": " + (.choices | split("|") | map("`" + . + "`") | join(" ")) else "" end) | \($default) | \(.since // "") | \($meaning | gsub("\\|"; "\\|")) |"'
}

fill() { # fill PAGE < table
    awk -v table="$(cat)" '
        /^<!-- settings: / { print; print table; skip = 1; next }
        /^<!-- end -->$/ { skip = 0 }
        !skip' "$1"
}

man_page() { # man_page NAME < page
    sed -e 's/\\|/\x01/g' -e 's/\\/\\e/g' -e 's/-/\\-/g' -e 's/\[\([^]]*\)\]([^)]*)/\1/g' \
        -e 's/`\([^`]*\)`/\\fB\1\\fR/g' -e 's/\*\*\([^*]*\)\*\*/\\fB\1\\fR/g' | awk -v name="$1" '
        function text(line) { return line ~ /^[.'\'']/ ? "\\&" line : line }
        function leave() { if (code) print ".RE\n.EE"; code = 0 }
        BEGIN {
            print ".\\\" Made from docs/" name ".md by scripts/update-plugin-pages.sh."
            print ".nr HY 0\n.TH STRONGROOM\\-" toupper(name) " 7 \"\" strongroom \"Storage plugins\"\n.ad l"
            print ".SH NAME"
            intro = 1; title = "strongroom\\-" name " \\-"
        }
        /^# / || /^<!\\-\\- / { next }
        /^## / {
            leave()
            if (intro) { sub(/\.$/, "", title); print title }
            intro = 0; print ".SH " toupper(substr($0, 4)); fresh = 0; next
        }
        intro { if (NF) title = title " " (title ~ / \\-$/ ? tolower(substr($0, 1, 1)) substr($0, 2) : $0); next }
        /^$/ { blank = 1; rows = 0; next }
        /^    / {
            if (!code) print ".PP\n.EX\n.RS 4"
            else if (blank) print ""
            code = 1; blank = 0; print text(substr($0, 5)); next
        }
        { leave() }
        /^\|(\\-)+/ { next }
        /^\| / {
            line = $0; sub(/^\| /, "", line); sub(/ \|$/, "", line)
            n = split(line, cell, / \| /); gsub(/ *\|$/, "", cell[n])
            blank = 0
            if (!rows++) { split(line, head, / \| /); next }
            if (head[1] != "setting") {
                print ".TP\n" text(cell[1])
                for (i = 2; i <= n; i++) print (n > 2 ? head[i] ": " : "") text(cell[i]) (i < n ? ";" : "")
                next
            }
            print ".TP\n" cell[1] " (" cell[2] (cell[3] == "" ? "" : ", default " cell[3]) ")"
            print cell[5] (cell[4] == "" ? "" : "; since " cell[4]); blank = 0; next
        }
        /^\\- / { print ".IP \\(bu 2\n" text(substr($0, 4)); blank = 0; next }
        /^  / { sub(/^ +/, ""); print text($0); blank = 0; next }
        { if (blank) print ".PP"; blank = 0; print text($0) }
        END { leave() }' | tr '\001' '|'
}

loads() {
    env -i PATH="$PATH" ASAN_OPTIONS="${ASAN_OPTIONS:-}" BACKUP_PLUGIN_PATH="${BACKUP_PLUGIN_PATH:-}" \
        "$program" plugins --json 2>/dev/null | jq -r '.plugins[] | select(.loads) | .name'
}

for name in $(loads); do
    [ -e "$top/docs/$name.md" ] || continue
    describe "$name" | settings | fill "$top/docs/$name.md" >"$folder/$name.md.new"
    mv "$folder/$name.md.new" "$folder/$name.md"
    man_page "$name" <"$folder/$name.md" >"$folder/strongroom-$name.7"
done
