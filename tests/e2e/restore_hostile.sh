# A dump is hostile input: no psql command hidden in it is run, and the target stays as it was.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env || exit 1
sr_env
create_db target && q target 'CREATE TABLE precious AS SELECT 1 AS x'
export PGDATABASE=target
header=$'--\n-- PostgreSQL database dump\n--\nSET client_encoding = \'UTF8\';\nCREATE TABLE t (x text);\n'
footer=$'\n--\n-- PostgreSQL database dump complete\n--\n'

hostile() { # hostile NAME TEXT
    printf '%s%s\n%s' "$header" "$2" "$footer" >"$T/hostile.sql"
    gzip -kf "$T/hostile.sql"
    local file
    for file in "$T/hostile.sql" "$T/hostile.sql.gz"; do
        run sr restore "$file" --into target --yes
        isnt "$1 (${file##*.}): refused" "$RC" 0
        no "$1 (${file##*.}): nothing ran" ls "$T/pwned"
        is "$1 (${file##*.}): the target is untouched" "$(table_counts target)" 'public.precious|1'
    done
    rm -f "$T/pwned"
}
hostile 'a shell command' "\\! touch $T/pwned"
hostile 'a shell command after blanks' "   \\! touch $T/pwned"
hostile 'a shell command behind SQL' "SELECT 1 \\! touch $T/pwned"
hostile 'a shell command behind a statement' "SELECT 1; \\! touch $T/pwned"
hostile 'output into a pipe' "SELECT 1 \\g |touch $T/pwned"
hostile 'output into a file' "\\o $T/pwned"
hostile 'a copy by the client' "\\copy t TO '$T/pwned'"
hostile 'another file' "\\i /etc/passwd"
hostile 'another database' "\\connect postgres"
hostile 'a variable from a command' "\\set x \`touch $T/pwned\`"
hostile 'a command after a comment' "/* */ \\! touch $T/pwned"
hostile 'a command after an end of data' $'COPY t (x) FROM stdin;\na\n\\.\n\\! touch '"$T/pwned"
hostile 'a command after an end of data that is none' $'COPY t (x) FROM stdin;\na\n\\.x\n\\.\n\\! touch '"$T/pwned"
hostile 'a false restrict pair' $'\\unrestrict abc\n\\! touch '"$T/pwned"
hostile 'a restrict key that is guessed' $'\\restrict abc\n\\unrestrict abc\n\\! touch '"$T/pwned"
hostile 'carriage returns' $'SELECT 1;\r\\! touch '"$T/pwned"
hostile 'a command behind a string with a backslash' "SELECT 'a\\'; \\! touch $T/pwned"
hostile 'a command behind an E string' "SELECT E'a\\''; \\! touch $T/pwned"
hostile 'a command behind a dollar quote' "SELECT \$q\$ ' \$q\$; \\! touch $T/pwned"
hostile 'standard_conforming_strings off' $'SET standard_conforming_strings = off;\nSELECT \'a\\\'; \\! touch '"$T/pwned"$' --\';'


# What would end our one transaction, so that a part of the dump stays after a failure.
leaves() { # leaves NAME TEXT: refused as damage, before the target is touched
    printf '%s%s\nINSERT INTO nowhere VALUES (1);\n%s' "$header" "$2" "$footer" >"$T/leaves.sql"
    exit_is 13 "$1: refused as corrupt" sr restore "$T/leaves.sql" --into target --yes
    contains "$1: with the line" "$ERR" 'line 6 '
    contains "$1: in words" "$ERR" 'transaction'
    is "$1: the target is untouched" "$(table_counts target)" 'public.precious|1'
}
leaves 'a COMMIT that pg_dump does not write' 'COMMIT AND CHAIN;'
leaves 'a COMMIT behind a statement' 'SELECT 1; COMMIT;'
leaves 'a ROLLBACK' 'ROLLBACK;'
leaves 'an ABORT' 'abort work;'
leaves 'an END' 'END;'
leaves 'a PREPARE TRANSACTION' "PREPARE TRANSACTION 'x';"
printf "%s\nCOPY t FROM stdin DELIMITER ',';\n'\n\\\\.\nROLLBACK;\n--';\n%s" "$header" "$footer" >"$T/quote.sql"
exit_is 13 'a ROLLBACK behind rows that look like a quote: refused' sr restore "$T/quote.sql" --into target --yes
is 'and the target is untouched' "$(table_counts target)" 'public.precious|1'
printf '%sCOMMIT;\nINSERT INTO nowhere VALUES (1);\n%s' "$header" "$footer" >"$T/commit.sql"
exit_is 1 "pg_dump's own COMMIT is taken out" sr restore "$T/commit.sql" --into target --yes
is 'and nothing remains of what failed' "$(table_counts target)" 'public.precious|1'
# Sessions that begin with old-style strings, where the scanner and psql would part ways.
q postgres "ALTER ROLE $PG_USER SET standard_conforming_strings = off"
printf "%sSELECT 'C:\\\\', '; COMMIT; --';\nINSERT INTO nowhere VALUES (1);\n%s" "$header" "$footer" >"$T/strings.sql"
contains 'a text with a backslash at its end' "$(cat "$T/strings.sql")" "SELECT 'C:\\', '; COMMIT"
exit_is 1 'old-style strings: the failure is told' sr restore "$T/strings.sql" --into target --yes
contains 'as it is' "$ERR" nowhere
is 'and nothing remains' "$(table_counts target)" 'public.precious|1'
q postgres "ALTER ROLE $PG_USER RESET standard_conforming_strings"
printf '%sCREATE PROCEDURE p() LANGUAGE plpgsql AS $$\nBEGIN\nCOMMIT;\nEND;\n$$;\nCREATE TABLE u AS SELECT $q$\nROLLBACK;\n$q$ AS x;\nCOPY t (x) FROM stdin;\nROLLBACK;\n\\.\n%s' \
    "$header" "$footer" >"$T/texts.sql"
create_db texts
exit_is 0 'such words in bodies, strings and rows are fine' sr restore "$T/texts.sql" --into texts --yes
is 'and come back' "$(q texts 'SELECT x FROM t UNION ALL SELECT x FROM u ORDER BY 1 DESC' | tr -d '\n')" 'ROLLBACK;ROLLBACK;'

printf '%sINSERT INTO t VALUES (1/0);\n%s' "$header" "$footer" >"$T/error.sql"
exit_is 1 'an SQL error fails the restore' sr restore "$T/error.sql" --into target --yes
contains 'and is told' "$ERR" 'division by zero'
is 'in one transaction: nothing remains' "$(table_counts target)" 'public.precious|1'
printf '%s' "$header" >"$T/short.sql"
run sr restore "$T/short.sql" --into target --yes
is 'a dump without its end is corrupt' "$RC" 13
is 'and found before the target is touched' "$(table_counts target)" 'public.precious|1'
for junk in /etc/passwd "$SR_BUILDDIR/strongroom" /dev/null; do
    run sr restore "$junk" --into target --yes
    isnt "$junk is no dump" "$RC" 0
done
finish
