# make db-backup and db-restore, as a project includes them.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 1 || exit 1
sr_env
export PGDATABASE=shop BACKUP_PLUGIN_PATH
BACKUP_PLUGIN_PATH=$(sr_plugin_path)
mkdir "$T/project" && cd "$T/project" || exit 1
printf 'STRONGROOM = %s\ninclude %s\n' "$SR_BUILDDIR/strongroom" "$SR_SRCDIR/contrib/strongroom.mk" >Makefile
unset BACKUP_DIR
exit_is 0 'make db-backup' make -s db-backup LABEL=pre-migration BACKUP_DIR="$T/made" VERBOSE=1
export BACKUP_DIR=$T/made
is 'it is there' "$(manifests | grep -c '^pre-migration-')" 1
exit_is 0 'a label is no program text' make -s db-backup LABEL='x"; touch pwned; "'
no 'nothing ran' ls pwned
exit_is 0 'LABEL from the environment' with LABEL=env make -s db-backup
is 'is used' "$(manifests | grep -c '^env-')" 1
exit_is 0 'without a label' make -s db-backup
create_db copy
exit_is 2 'make db-restore without FILE' make -s db-restore
contains 'says how' "$ERR" FILE=
with PGDATABASE=copy make -s db-restore FILE="$BACKUP_DIR/$(objects '^pre-migration' | grep -v globals)" FORCE=1 >"$T/out" 2>"$T/err"
is 'make db-restore' "$?" 0
restored_equals shop copy 'every row'
with PGDATABASE=copy make -s db-restore FILE="$BACKUP_DIR/$(objects '^pre-migration' | grep -v globals)" >"$T/out" 2>"$T/err" </dev/null
isnt 'over a full database it asks' "$?" 0
exit_is 0 'from the build folder' make -s -C "$SR_BUILDDIR" db-backup LABEL=built
is 'it is there, too' "$(manifests | grep -c '^built-')" 1
finish
