# .env files: quotes, comments, CRLF, export; what wins over what; relative BACKUP_DIR.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && create_db shop || exit 1
sr_env
unset BACKUP_DIR
export PGDATABASE=shop
mkdir -p "$T/project/sub"
cd "$T/project" || exit 1

value() { # value SETTING
    run sr config --json
    json ".settings[] | select(.name == \"$1\") | .value"
}
origin() {
    run sr config --json
    json ".settings[] | select(.name == \"$1\") | .origin"
}
printf '%s\r\n' '# a comment' '' 'export BACKUP_SOURCE_NAME="with blank # not a comment"' \
    "LOG_LEVEL='debug'   # a comment" 'BACKUP_RETENTION_DAYS=9' ' BACKUP_FORMAT = custom ' 'UNKNOWN_TO_US=x y' >.env
is 'double quotes, export, CRLF' "$(value BACKUP_SOURCE_NAME)" 'with blank # not a comment'
is 'single quotes and a comment behind' "$(value LOG_LEVEL)" debug
is 'a plain value' "$(value BACKUP_RETENTION_DAYS)" 9
is 'blanks around the sign' "$(value BACKUP_FORMAT)" custom
is 'where it came from' "$(origin BACKUP_RETENTION_DAYS)" .env:5
is 'the environment wins' "$(BACKUP_RETENTION_DAYS=11 value BACKUP_RETENTION_DAYS)" 11
exit_is 0 'another file by flag' bash -c 'echo BACKUP_RETENTION_DAYS=12 >../other.env'
run sr config --json --env-file ../other.env
is 'the file that was named' "$(json '.settings[] | select(.name == "BACKUP_RETENTION_DAYS") | .value')" 12
echo 'BACKUP_RETENTION_DAYS=13' >../strongroom.conf
run sr config --json --config ../strongroom.conf
is '.env wins over the configuration file' "$(json '.settings[] | select(.name == "BACKUP_RETENTION_DAYS") | .value')" 9

printf 'BACKUP_DIR=dumps\n' >.env
exit_is 0 'a relative folder' sr backup --label rel
ok 'counts from the folder of .env' test -d "$T/project/dumps"
cd sub || exit 1
exit_is 0 'also from elsewhere' sr backup --label rel2 --env-file ../.env
is 'both backups are there' "$(find "$T/project/dumps" -name 'rel*.manifest.json' | wc -l)" 2
no 'none in the working folder' ls dumps
cd ..
printf 'DATABASE_URL=%s\n' "$(pg_url shop)" >.env
exit_is 0 'the database from .env' with -u PGHOST -u PGPORT -u PGUSER -u PGPASSWORD -u PGDATABASE sr backup --label dot
for bad in 'NOT A SETTING' 'BACKUP_FORMAT="unclosed' '=x'; do
    printf 'LOG_LEVEL=info\n%s\n' "$bad" >.env
    exit_is 2 ".env with '$bad' is refused" sr config
    matches ".env with '$bad': file and line are told" "$ERR" '\.env:2|\.env, line 2|line 2'
done
head -c 3000000 /dev/zero | tr '\0' x >.env
exit_is 2 'a huge .env is refused' sr config
printf 'A=\0B\n' >.env
exit_is 2 'a .env with a NUL is refused' sr config
rm .env && mkdir .env
exit_is 0 'a folder named .env is no settings file' sr config
finish
