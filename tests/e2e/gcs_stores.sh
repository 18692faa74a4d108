# What differs from bucket to bucket of Google Cloud Storage and from right to right: locked, hidden, denied and deleted
# told apart; rights that are missing; parallel parts only where nothing can be replaced; keys, classes, holds; what is
# left of the dead is swept.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
. "$SR_SRCDIR/tests/lib/gcs.sh"
ok 'a server starts' gcs_start store || finish
head -c 11000000 /dev/urandom >"$T/big"
echo small >"$T/small"
sum=$(sha256sum <"$T/big" | cut -d' ' -f1)
CREATE='storage.objects.create storage.multipartUploads.create storage.multipartUploads.abort storage.multipartUploads.listParts'
fresh() { gcs_set store "${1:-"{}"}" && server_rules store; }
field() { gcs_state store ".objects[\"$1\"][-1].$2"; }

# Deleted, hidden, kept, denied.
fresh '{"soft_delete": 604800}'
call save a "$T/small" >"$T/out" 2>"$T/err"
exit_is 0 'soft delete: a deletion' call delete a
contains 'is told as hidden' "$OUT" 'a hidden 0'
is 'and the bytes are there still' "$(gcs_state store .soft.a)" 1
fresh '{"versions": true}'
call save a "$T/small" >"$T/out" 2>"$T/err"
exit_is 0 'versions: a deletion' call delete a
contains 'is told as hidden' "$OUT" 'a hidden 0'
exit_is 0 'of what is not there' call delete nothing
contains 'is done' "$OUT" 'nothing deleted 0'
fresh '{"retention": 86400}'
call save a "$T/small" >"$T/out" 2>"$T/err"
exit_is 0 'a retention policy: a deletion' call delete a
until=$(awk '$2 == "kept" {print $3}' "$T/out")
ok 'is told as kept until tomorrow' [ "$((${until:-0} - $(date +%s)))" -gt 86000 ]
exit_is 20 'and nothing there is replaced' call save a "$T/small"
for hold in temporary event; do
    fresh
    exit_is 0 "a $hold hold: a save" with BACKUP_GCS_HOLD=$hold call save a "$T/small"
    exit_is 0 "a $hold hold: a large one" with BACKUP_GCS_HOLD=$hold call save b "$T/big"
    is "a $hold hold: is on both" "$(gcs_state store '[.objects[][] | select(.temporaryHold or .eventBasedHold)] | length')" 2
    exit_is 0 "a $hold hold: a deletion" call delete a
    contains "a $hold hold: is told as kept until it is lifted" "$OUT" 'a kept 9223372036854775807'
done
fresh '{"object_retention": true}'
for way in resumable multipart; do
    exit_is 0 "locked ($way)" with BACKUP_GCS_UPLOAD=$way BACKUP_GCS_OBJECT_LOCK_DAYS=3 BACKUP_GCS_OBJECT_LOCK_MODE=Locked call save $way "$T/big"
    is "has its lock ($way)" "$(field $way retention.mode)" Locked
    exit_is 0 "a deletion ($way)" call delete $way
    matches "is told as kept ($way)" "$OUT" "$way kept 1[0-9]+"
done
fresh
exit_is 140 'a lock in a bucket that has none' with BACKUP_GCS_OBJECT_LOCK_DAYS=3 call save a "$T/small"
contains 'is refused before anything is sent' "$ERR" 'object retention is not enabled'

# Rights. Who may only create makes backups and replaces nothing.
fresh
gcs_rights store $CREATE
exit_is 0 'only creating: a small object' call save small "$T/small"
exit_is 0 'only creating: a large one' call save big "$T/big"
is 'in a session' "$(server_requests store 'select(.target | test("partNumber=")).number' | wc -l)" 0
is 'whole' "$(holds store big)" "$sum"
exit_is 20 'only creating: a name that is taken is refused by Google' call save big "$T/big"
is 'and nothing is left of the try' "$(left store big)" 0
is 'what was there stays' "$(gcs_state store '.objects.big | length')" 1
exit_is 30 'only creating: nor do parts replace it' with BACKUP_GCS_UPLOAD=multipart call save big "$T/big"
is 'and nothing is left of that' "$(left store big)$(gcs_state store '.objects.big | length')" 01
exit_is 30 'only creating: a deletion is denied' call delete big
exit_is 30 'only creating: so is a listing' call list
exit_is 30 'only creating: and a fetch' call fetch big
server_rules store '{"match": "POST /upload/.*name=doubt", "do": true, "at": "request"}'
exit_is 120 'only creating: a lost answer is in doubt' call save doubt "$T/small"
server_rules store '{"match": "PUT upload_id", "header": {"content-range": "/11000000"}, "times": 1, "do": true, "at": "request"}'
exit_is 0 'only creating: in a session the answer is asked for again' with BACKUP_GCS_UPLOAD=resumable call save cleared "$T/big"
is 'and the object is whole' "$(holds store cleared)" "$sum"
fresh
exit_is 0 'all rights: a large object' call save big "$T/big"
is 'goes in a session' "$(server_requests store 'select(.target | test("partNumber=")).number' | wc -l)" 0
exit_is 20 'all rights: a name that is taken' call save big "$T/small"
exit_is 0 'what may be replaced anyway' call replace big "$T/big"
is 'goes in parallel parts' "$(server_requests store 'select(.target | test("partNumber=")).number' | wc -l)" 3
exit_is 0 'unless sessions are set' with BACKUP_GCS_UPLOAD=resumable call replace session "$T/big"
is 'then in a session' "$(server_requests store 'select(.target | test("/session.*partNumber=")).number' | wc -l)" 0
exit_is 0 'in parts because they are set' with BACKUP_GCS_UPLOAD=multipart call save parts "$T/big"
is 'as said' "$(server_requests store 'select(.target | test("/parts.*partNumber=")).number' | wc -l)" 3
# The answer to a completion states another sum, and no generation: only what bears our mark is removed.
spoilt='"reply": {"headers": {"x-goog-hash": "crc32c=AAAAAA=="}, "body": "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"}'
fresh
server_rules store "{\"match\": \"POST [?]uploadId\", \"do\": true, $spoilt}"
exit_is 90 'what was spoilt in parts' with BACKUP_GCS_UPLOAD=multipart call save spoilt "$T/big"
is 'is looked for, and removed' "$(holds store spoilt)" none
is 'by its generation' "$(server_requests store 'select(.method == "DELETE") | select(.target | test("/o/spoilt[?]generation=[0-9]+")).number' | wc -l)" 1
fresh
server_rules store '{"match": "GET /o/spoilt[?]", "times": 2, "reply": {"status": 404, "headers": {"X-GUploader-UploadID": "A"}}}' "{\"match\": \"POST [?]uploadId\", $spoilt}"
server_tell store '{"handler": {"put": {"key": "spoilt", "body": "other"}}}' >"$T/said"
exit_is 90 'where another object is there' with BACKUP_GCS_UPLOAD=multipart call save spoilt "$T/big"
is 'that one stays' "$(field spoilt size)" 5
contains 'which is told' "$ERR" "does not bear this upload's mark"
# Somebody makes an object of that name while ours is under way.
for way in resumable multipart; do
    fresh
    server_rules store '{"match": "GET /o/race[?]", "times": 2, "reply": {"status": 404, "headers": {"X-GUploader-UploadID": "A"}}}'
    server_tell store '{"handler": {"put": {"key": "race", "body": "other"}}}' >"$T/said"
    [ $way = resumable ] && exit_is 20 'a race in a session is lost for sure' with BACKUP_GCS_UPLOAD=$way call save race "$T/big"
    [ $way = multipart ] && exit_is 0 'a race in parts is not, as the manual page says' with BACKUP_GCS_UPLOAD=$way call save race "$T/big"
    [ $way = multipart ] || is 'and the other object stays' "$(field race size)" 5
done
fresh
gcs_rights store $CREATE storage.objects.get storage.objects.delete storage.objects.list
gcs_change store '{"soft_delete": 604800}'
call save a "$T/small" >"$T/out" 2>"$T/err"
exit_is 0 'who may not see the bucket' call delete a
contains 'looks for what is left' "$OUT" 'a hidden'

# Described as asked.
key=$(openssl rand -base64 32)
fresh
for way in resumable multipart; do
    exit_is 0 "described ($way)" with BACKUP_GCS_UPLOAD=$way BACKUP_GCS_STORAGE_CLASS=NEARLINE BACKUP_GCS_CUSTOM_TIME=on \
        BACKUP_GCS_KMS_KEY_NAME=projects/p/locations/l/keyRings/r/cryptoKeys/k call save $way "$T/big"
    is "its class ($way)" "$(field $way storageClass)" NEARLINE
    is "its key ($way)" "$(field $way kmsKeyName)" projects/p/locations/l/keyRings/r/cryptoKeys/k
    matches "its time ($way)" "$(field $way customTime)" '^20[0-9-]+T'
    exit_is 0 "a key of ours ($way)" with BACKUP_GCS_UPLOAD=$way BACKUP_GCS_CUSTOMER_KEY="$key" call save own-$way "$T/big"
    is "was sent with every request ($way)" "$(field own-$way customer)" "$([ $way = resumable ] && echo "$key" || echo null)"
    exit_is 0 "and fetches it ($way)" with BACKUP_GCS_CUSTOMER_KEY="$key" call fetch own-$way
    lacks "the key is not shown ($way)" "$ERR" "$key"
done
exit_is 40 'without it' call fetch own-resumable
contains 'is told' "$ERR" 'set customer_key'
fresh '{"user_project": "payer"}'
exit_is 40 'a bucket whose reader pays' call list
contains 'is told' "$ERR" 'set user_project'
exit_is 0 'with a project' with BACKUP_GCS_USER_PROJECT=payer call list

# Reading: the same generation, and the sum of what came.
fresh
call save big "$T/big" >"$T/out" 2>"$T/err"
server_rules store '{"match": "GET alt=media", "times": 1, "at": "reply-body", "after": 5000000}'
call fetch big >"$T/got" 2>"$T/err"
ok 'a download that breaks goes on where it was' cmp "$T/got" "$T/big"
is 'pinned to its generation' "$(server_requests store 'select(.target | test("ifGenerationMatch=[0-9]+")).number' | wc -l)" 1
server_rules store '{"match": "GET alt=media", "times": 1, "reply": {"headers": {"x-goog-generation": "7", "x-goog-hash": "crc32c=AAAAAA=="}, "body": "damaged"}}'
exit_is 90 'what came damaged is found out' call fetch big
contains 'by its sum' "$ERR" crc32c

# What the dead leave.
fresh
mkfifo "$T/pipe"
env BACKUP_GCS_UPLOAD=multipart "$SR_BUILDDIR/tests/server/store_call" save dead "$T/pipe" >"$T/out" 2>"$T/err" &
pid=$!
exec {hold}>"$T/pipe"
head -c 10700000 "$T/big" >&$hold
is_begun() { [ "$(gcs_state store '.uploads | length')" = 1 ]; }
poll 20 is_begun
kill -9 $pid
exec {hold}>&-
wait $pid
is 'a saver that was killed leaves an upload' "$(gcs_state store '.uploads | length')" 1
exit_is 0 'a sweep of old ones' call sweep 3600
is 'leaves it' "$(gcs_state store '.uploads | length')" 1
exit_is 0 'a sweep of all' call sweep 0
contains 'names it' "$OUT" dead
is 'and ends it' "$(gcs_state store '.uploads | length')" 0
# Its age is that of its newest part, by Google's clock; one that cannot be ended does not keep the others.
dead() { server_tell store "{\"handler\": {\"upload\": {\"key\": \"$1\", \"age\": $2, \"parts\": [${3:-}]}}}" >"$T/said"; }
unfinished() { gcs_state store '[.uploads[].key] | sort | join(" ")'; }
fresh '{"page": 2}'
dead a 200000
dead b 200000 150000,170000,90000,60
dead c 200000 150000,140000,130000
dead d 60
dead e 200000
server_rules store '{"match": "DELETE /a[?]uploadId", "reply": {"status": 403, "body": "<Error><Code>AccessDenied</Code></Error>"}}'
exit_is 30 'a sweep of what is a day old, where one cannot be ended' call sweep 86400
contains 'which is told' "$ERR" '1 of the unfinished uploads could not be ended'
contains 'with its name' "$ERR" 'the unfinished upload of a cannot be ended'
is 'the others are named' "$(tr '\n' ' ' <"$T/out")" 'c 0 e 0 '
is 'and ended; those that live stay' "$(unfinished)" 'a b d'
server_rules store '{"match": "GET /a[?]uploadId", "reply": {"status": 403, "body": "<Error><Code>AccessDenied</Code></Error>"}}'
exit_is 30 'where parts cannot be listed' call sweep 86400
is 'nobody can tell, and it stays' "$(unfinished)" 'a b d'
server_rules store '{"match": "DELETE", "reply": {"status": 500}}'
dead f 200000; dead g 200000; dead h 200000; dead i 200000; dead j 200000; dead k 200000
exit_is 50 'a store that ends nothing at all' with BACKUP_GCS_CONCURRENCY=1 call sweep 86400
is 'is not asked for ever' "$(server_requests store 'select(.method == "DELETE").target' | grep -c '/k?')" 0
# This machine's clock is two days ahead of Google's.
fresh '{"anonymous": true, "clock": -172800}'
dead live 60
exit_is 0 'a clock that is ahead' with BACKUP_GCS_CREDENTIALS=none call sweep 86400
is 'makes nothing old' "$(unfinished)" live
fresh

# Cancelled at the last moment: what is there is removed.
server_rules store '{"match": "PUT upload_id", "header": {"content-range": "/11000000"}, "do": true, "at": "request", "end": "stall"}'
env BACKUP_GCS_UPLOAD=resumable "$SR_BUILDDIR/tests/server/store_call" save late "$T/big" >"$T/out" 2>"$T/err" &
pid=$!
is_made() { [ "$(holds store late)" != none ]; }
poll 20 is_made
kill -TERM $pid
wait $pid
is 'a cancelled save' $? 130
is 'leaves nothing' "$(holds store late)" none
finish
