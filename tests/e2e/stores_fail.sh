# Four stores of three plugins, one of which fails at each stage in turn: the others hold the whole backup, the run says
# so with exit 3, what failed is tried once more from one that has it, and nothing half is left anywhere.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
. "$SR_SRCDIR/tests/lib/swift.sh"
pg_start && pg_env && dataset shop 1 && gpg_home && swift_start && s3_bucket main || exit 1
sr_env
swift_env
# More than 100,000 bytes, compressed as well.
q shop "CREATE TABLE noise AS SELECT md5(g::text || 'a') || md5(g::text || 'b') AS t FROM generate_series(1, 8000) g"
BACKUP_PLUGIN_PATH=$(sr_plugin_path):$SR_BUILDDIR/tests/abi/.libs
export BACKUP_PLUGIN_PATH PGDATABASE=shop AWS_EC2_METADATA_DISABLED=true BACKUP_S3_BUCKET=main
export BACKUP_STORAGE_ADAPTER=local,second=local,far=trouble,s3 BACKUP_SECOND_DIR=$T/second BACKUP_FAR_FILE=$T/far
export BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR BACKUP_AUDIT_LOG=$T/audit
ALL='far local s3 second'

holders() { # the stores that hold a set of that label, as list tells
    sr list --json | jq -r "[.backups[] | select(.set | startswith(\"$1-\")) | .stores[]?] | map(if type == \"object\" then .name else . end) | unique | join(\" \")"
}
stores_said() {
    json '.stores | sort_by(.name) | map("\(.name)=\(.ok)") | join(" ")'
}
events() { # events ACTION LABEL
    grep "\"action\":\"$1\"" "$T/audit" | grep -c "\"set\":\"$2-"
}

exit_is 0 'all is well' sr backup --label well --json
is 'all four hold it' "$(holders well)" "$ALL"
is 'none was tried twice' "$(json '[.stores[] | select(.retried)] | length')" 0

in_far() { # every key that is there, whatever it is
    with BACKUP_STORAGE_ADAPTER=far=trouble "$SR_BUILDDIR/tests/server/store_call" list "" 2>>"$T/list.err"
}
n=0
for stage in open: begin:.claim begin:.sql.gz.gpg middle:.sql.gz.gpg last:.sql.gz.gpg begin:.detail.json.gz.gpg \
    begin:.sha256 begin:.manifest.json; do
    for mode in --stream --spool; do
        n=$((n + 1))
        label=stays$n
        exit_is 3 "$stage $mode: partly done" with BACKUP_FAR_FAILS=$stage sr backup $mode --label $label --json
        is "$stage $mode: three hold it" "$(stores_said)" 'far=false local=true s3=true second=true'
        contains "$stage $mode: the reason is told" "$(json '.stores[] | select(.name == "far") | .error')" 'the connection broke'
        is "$stage $mode: list says the same" "$(holders $label)" 'local s3 second'
        is "$stage $mode: an event of its own" "$(events db_backup_store_failed $label)" 1
        is "$stage $mode: nothing of it is left there" "$(in_far | grep -c "^$label-")" 0
        exit_is 1 "$stage $mode: too few stores" with BACKUP_FAR_FAILS=$stage BACKUP_MIN_STORES=4 sr backup $mode --label few$n
        : >"$T/once"
        label=again$n
        exit_is 0 "$stage $mode: once only" with BACKUP_FAR_FAILS=$stage BACKUP_FAR_ONCE="$T/once" sr backup $mode --label $label --json
        set=$(json .set)
        no "$stage $mode: it went wrong" test -e "$T/once"
        is "$stage $mode: all four hold it" "$(holders $label)" "$ALL"
        exit_is 0 "$stage $mode: every byte" sr verify "$set" --store far
    done
done

# Who only cannot be listed can be written to all the same.
exit_is 0 'a store that cannot be listed' with BACKUP_FAR_FAILS=list:- sr backup --label unlisted --json
is 'holds it, at the second attempt' "$(json '.stores[] | select(.retried and .ok) | .name')" far

# The answer is lost: what is there may be wrong, goes, and comes again.
for end in .sql.gz.gpg .sha256 .manifest.json; do
    : >"$T/once"
    exit_is 0 "in doubt at $end" with BACKUP_FAR_FAILS="doubt:$end" BACKUP_FAR_ONCE="$T/once" sr backup --stream --label "doubt${end//[.5]/}" --json
    is "in doubt at $end: at the second attempt" "$(json '.stores[] | select(.retried) | .name')" far
    exit_is 0 "in doubt at $end: whole" sr verify "$(json .set)" --store far
done
is 'each second attempt that went well is in the audit log' "$(grep -c '"action":"db_backup_store_retried"' "$T/audit")" "$(grep -c '"store":"far","from":"local"' "$T/audit")"

# Retention fails in one store: the backup is there all the same, and the others are pruned.
old=nightly-$(date -u -d '-30 days' +%Y%m%d%H%M%S)
exit_is 0 'an old one in all' sr backup --label "$old"
is 'four have it' "$(holders "${old%-*}")" "$ALL"
exit_is 0 'retention fails in one store' with BACKUP_RETENTION_DAYS=7 BACKUP_FAR_FAILS=delete:.manifest.json sr backup --label keeps --json
is 'all hold the new one' "$(holders keeps)" "$ALL"
is 'the old one is left there alone' "$(holders "${old%-*}")" far
contains 'which is told' "$ERR" 'far'

# What is in the stores is the same, byte for byte, and enough on a fresh host.
exit_is 0 'a last one' sr backup --label last --json
set=$(json .set)
mkdir "$T/fetched"
for store in local second far s3; do
    exit_is 0 "fetch from $store" sr fetch "$set" --store $store --output "$T/fetched/$store"
done
for store in second far s3; do
    ok "$store has the same bytes" diff -r "$T/fetched/local" "$T/fetched/$store"
done
for store in far s3; do
    drop_db copy
    fresh=(-u BACKUP_SECOND_DIR -u BACKUP_ENCRYPTION_ENABLED -u GPG_RECIPIENT_KEY_ID BACKUP_DIR="$T/fresh-$store"
        BACKUP_STORAGE_ADAPTER="$(if [ $store = s3 ]; then echo s3; else echo far=trouble; fi)")
    exit_is 0 "a fresh host with $store alone lists" with "${fresh[@]}" sr list --json
    exit_is 0 "verifies" with "${fresh[@]}" sr verify latest
    exit_is 0 "and restores" with "${fresh[@]}" sr restore latest --into copy --create --yes
    restored_equals shop copy "$store: every row"
done
finish
