#!/bin/bash
# update-man.sh [PROGRAM]: writes docs/strongroom.1 anew: what is told about verbs, options, settings and
# exit codes comes from the program (default: build/strongroom), the rest stands here; and from what
# strongroom-plugin-check beside it says with --help, docs/strongroom-plugin-check.1. To be run after a
# change of any of these; tests/e2e/docs_match.sh fails until it was. With `-` as second argument the page
# goes to standard output, with `plugin-check` as third the other one. Needs jq.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
program=${1:-$top/build/strongroom}
export LC_ALL=C.UTF-8

# Text to roff: backslashes, dashes that must stay dashes, and lines that would read as requests.
roff() {
    sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\([.']\)/\\\\\&\1/"
}

# `strongroom help VERB`: usage, paragraphs, options, examples. Common options and exit codes have
# sections of their own.
verb_section() {
    echo ".SS $1"
    "$program" help "$1" | roff | awk '
        NR == 1 { next }
        /^Usage: /            { part = "usage"; print ".nf"; sub(/^Usage: /, ""); sub(/^ +/, ""); print; next }
        /^Options:$/          { part = "options"; next }
        /^Options of every/   { part = "skip"; next }
        /^Examples:$/         { part = "examples"; print ".PP"; print "Examples:"; print ".PP"; print ".nf"; print ".RS 4"; next }
        /^Exit codes:$/       { if (part == "examples") { print ".RE"; print ".fi" } part = "skip"; next }
        part == "usage" && /^$/ { print ".fi"; part = "about"; blank = 1; next }
        part == "usage"       { sub(/^ +/, "    "); print; next }
        part == "about" && /^$/ { blank = 1; next }
        part == "about"       { if (blank) print ".PP"; blank = 0; print; next }
        part == "options" && /^  [^ ]/ {
            line = substr($0, 3)
            at = match(line, /  +/)
            name = at ? substr(line, 1, at - 1) : line
            print ".TP"; print ".B " name
            if (at) print substr(line, at + RLENGTH)
            next
        }
        part == "options" && /^ +one of: / { print ".br" }
        part == "options" && /^ +/ { sub(/^ +/, ""); print; next }
        part == "examples" && /^  / { print substr($0, 3); next }
        part == "examples" && /^$/ { next }
    '
}

common_options() {
    "$program" help | roff | awk '
        /^Options of every/ { on = 1; next }
        on && /^$/ { exit }
        on && /^  [^ ]/ {
            line = substr($0, 3); at = match(line, /  +/)
            print ".TP"; print ".B " (at ? substr(line, 1, at - 1) : line)
            if (at) print substr(line, at + RLENGTH)
            next
        }
        on { sub(/^ +/, ""); print }'
}

settings() {
    env -i PATH="$PATH" ASAN_OPTIONS="${ASAN_OPTIONS:-}" "$program" config --json 2>/dev/null |
        jq -r '.settings[] | [.name, .help, (.default // "" | tostring), (.choices // .type), (.names // "")] | @tsv' | roff |
        awk -F'\t' '{
            gsub(/,/, ",\\:", $3); gsub(/\|/, " | ", $4)
            print ".TP"; print ".BR " $1 " \"  (" $4 ")\""
            printf "%s%s%s\n", $2, ($5 == "" ? "" : "; also " $5), ($3 == "" ? "" : " (default: " $3 ")")
        }'
}

exit_codes() {
    "$program" help help | awk '/^Exit codes:$/ {on = 1; next} on && NF {code = $1; $1 = ""; print code "\t" $0}' | roff |
        awk -F'\t' '{ sub(/^ /, "", $2); print ".TP"; print ".B " $1; print $2 }'
}

page() {
    cat <<'ROFF'
.\" Written by scripts/update-man.sh.
.nr HY 0
.TH STRONGROOM 1 "" strongroom "User commands"
.ad l
.SH NAME
strongroom \- encrypted, hashed and proven backups of PostgreSQL
.SH SYNOPSIS
.B strongroom
.I VERB
.RI [ OPTION ...]
.RI [ OPERAND ...]
.SH DESCRIPTION
.B strongroom
dumps PostgreSQL databases with
.BR pg_dump (1),
compresses, hashes and encrypts the dump in one pass, and keeps it in one or several stores, each behind a
plugin. It lists, verifies, fetches and restores what the stores hold, from the stores and the key alone.
.PP
One run makes one
.IR set :
the dump of each database, roles and tablespaces, checksums for
.BR sha256sum (1),
and a manifest, which is written last. What has no manifest is no backup. A set is called by its label and
the UTC time; a dump made from the command line carries the SHA\-256 of the compressed dump in its name.
Nothing that exists is ever replaced.
.PP
Everything can be undone with
.BR gpg (1),
.BR gunzip (1)
and
.BR psql (1)
alone; each store holds a file
.I RECOVER.txt
that says how.
.PP
Results go to standard output, everything else to standard error. Options and operands may be mixed;
.B \-\-
ends options.
.SH VERBS
ROFF
    local verb
    for verb in $("$program" help --json | jq -r '.verbs[].name'); do
        verb_section "$verb"
    done
    echo '.SH COMMON OPTIONS'
    common_options
    cat <<'ROFF'
.SH BACKUPS AND FILES AS OPERANDS
.I BACKUP
is a label, a set's name, an object's key, a unique beginning of any of these, or
.BR latest ,
which
.B \-\-database
and
.B \-\-label
narrow.
.IR STORE :
before it looks in that store alone.
.I FILE
is a path that exists. Where both could be meant, the path wins, and a line says so.
.SH SETTINGS
A setting is looked for on the command line, in the environment, in the .env file, in the configuration
file, in this order; then its default counts.
.B strongroom config
shows what counts and where it came from, with secrets masked. A secret may also be read from a file:
.IR NAME _FILE
names it. libpq's own variables
.RB ( PGHOST ,
.BR PGPORT ,
.BR PGUSER ,
.BR PGPASSWORD ,
.BR PGPASSFILE ,
.BR PGSERVICE ,
\&...), the password file and service files work as with
.BR psql (1).
The settings of a store are declared by its plugin:
.B strongroom plugins
.I PLUGIN
shows them.
A name of a store's setting that its plugin does not know is an error; one of a store that is not in use is
passed over.
.B \-\-set
.IR NAME = VALUE
sets any of them but a secret for one run.
ROFF
    settings
    cat <<'ROFF'
.SH FILES
.TP
.I /etc/strongroom.conf
configuration file, NAME=VALUE a line
.TP
.I ./.env
the same, of a project; relative paths in it count from its folder
.TP
.I BACKUP_DIR/.strongroom/
locks, journals of runs, spool and audit log: what can be lost
.TP
.I BACKUP_DIR/RECOVER.txt
how to get the data back without strongroom
.SH EXIT STATUS
ROFF
    exit_codes
    cat <<'ROFF'
.PP
Anything else counts as failure.
.SH EXAMPLES
.nf
.RS 4
strongroom doctor
strongroom backup \-\-label pre\-migration
strongroom list
strongroom verify latest
strongroom restore latest \-\-into scratch \-\-create
strongroom backup \-\-scheduled \-\-quiet
.RE
.fi
.SH SEE ALSO
.BR pg_dump (1),
.BR pg_restore (1),
.BR psql (1),
.BR gpg (1),
.BR strongroom\-local (7),
.BR strongroom\-plugin\-check (1),
.BR strongroom\-storage (3)
ROFF
}

# What the contract suite says of itself with --help.
check_page() {
    cat <<'ROFF'
.\" Written by scripts/update-man.sh.
.nr HY 0
.TH STRONGROOM\-PLUGIN\-CHECK 1 "" strongroom "User commands"
.ad l
.SH NAME
strongroom\-plugin\-check \- is a storage plugin true to its interface?
.SH SYNOPSIS
ROFF
    "$(dirname "$program")/strongroom-plugin-check" --help | roff | awk '
        function begin(name) { part = name; blank = 0; print ".SH " toupper(name) }
        function leave() { if (part == "Examples") print ".EE" }
        tolower($1) == "usage:" { sub(/^[^:]*: */, ""); print ".B " $0; begin("Description"); next }
        /^[A-Z][a-z ]*:$/ { leave(); sub(/:$/, ""); begin($0); if (part == "Examples") print ".EX"; next }
        /^$/ { blank = 1; next }
        part == "Examples" { print substr($0, 3); next }
        /^  [^ ]/ {
            line = substr($0, 3); at = match(line, /  +/)
            print ".TP\n.B " (at ? substr(line, 1, at - 1) : line)
            if (at) print substr(line, at + RLENGTH)
            blank = 0; next
        }
        { if (blank && part == "Description") print ".PP"; sub(/^ +/, ""); print; blank = 0 }
        END { leave() }'
    cat <<'ROFF'
.SH SEE ALSO
.BR strongroom\-storage (3),
.BR strongroom (1)
ROFF
}

if [ "${2:-}" = - ]; then
    if [ "${3:-}" = plugin-check ]; then check_page; else page; fi
else
    page >"$top/docs/strongroom.1.new"
    mv "$top/docs/strongroom.1.new" "$top/docs/strongroom.1"
    check_page >"$top/docs/strongroom-plugin-check.1.new"
    mv "$top/docs/strongroom-plugin-check.1.new" "$top/docs/strongroom-plugin-check.1"
fi
