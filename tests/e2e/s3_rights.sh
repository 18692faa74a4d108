# What degrades with each right that is missing, and in which words it is told: the table in docs/s3.md, row by row.
# First the least that a host needs which only makes backups: s3:PutObject alone, through the whole program.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
. "$SR_SRCDIR/tests/lib/s3.sh"
pg_start && pg_env && dataset shop 20 || exit 1
sr_env
ok 'a server starts' s3_start store || finish
export PGDATABASE=shop BACKUP_DIR=$T/state
head -c 11000000 /dev/urandom >"$T/big"
head -c 1000 "$T/big" >"$T/small"
sum=$(sha256sum <"$T/big" | cut -d' ' -f1)

rights() { # rights JSON-ARRAY [LAWS [RULE...]]: the server begins anew with these alone
    s3_set store "{\"keys\": {\"AKTEST\": {\"secret\": \"secret/of+test\", \"allow\": $1}}${2:+, $2}}" && server_rules store "${@:3}"
}
all='["PutObject", "PutObjectRetention", "PutObjectTagging", "GetObject", "GetObjectVersion", "GetObjectRetention",
 "GetObjectLegalHold", "ListBucket", "ListBucketVersions", "DeleteObject", "DeleteObjectVersion", "AbortMultipartUpload",
 "ListMultipartUploadParts", "ListBucketMultipartUploads", "GetBucketVersioning", "GetBucketObjectLockConfiguration",
 "kms:GenerateDataKey", "kms:Decrypt"]'
without() { # without NAME [LAWS [RULE...]]: all the others
    rights "$(jq -c ". - [\"$1\"]" <<<"$all")" "${@:2}"
}

# The whole program with PutObject alone.
rights '["PutObject"]'
exit_is 0 'a backup with PutObject alone' sr backup --label only
is 'everything of it is there' "$(s3_state store '.objects | keys[]' | grep -c '^only-.*\(\.sql\.gz\|\.manifest\.json\)$')" 3
contains 'that nothing was swept is told, and what does it then' "$ERR" 'lifecycle rule for incomplete uploads'
contains 'that retention did not run, too' "$ERR" 'retention did not run'
contains 'and what deletes then' "$ERR" 'lifecycle rule of the bucket'
exit_is 0 'a scheduled one' sr backup --scheduled
exit_is 0 'one under a name of its own' with BACKUP_LABEL_TIMESTAMP=off sr backup --label same
exit_is 14 'which is not replaced' with BACKUP_LABEL_TIMESTAMP=off sr backup --label same
for verb in list 'verify latest' prune; do
    exit_is 1 "$verb" with BACKUP_RETENTION_DAYS=1 sr $verb
    contains "$verb names the right" "$ERR" s3:ListBucket
done
exit_is 0 'doctor has no blocker' sr doctor
contains 'but says what cannot be done' "$OUT" 'cannot list (no retention, no restore from here)'

# Each right that is missing alone.
without ListBucket
exit_is 0 'ListBucket: saving' call save k "$T/big"
exit_is 30 'ListBucket: listing' call list
contains 'ListBucket: what it says' "$ERR" 'let a lifecycle rule of the bucket delete what is old'
without GetObject
exit_is 0 'GetObject: saving' call save k "$T/big"
contains 'GetObject: what it says' "$ERR" 'the size of k cannot be confirmed'
exit_is 30 'GetObject: fetching' call fetch k
without GetObject '' '{"match": "POST uploadId=", "times": 1, "do": true, "at": "request"}'
s3_change store '{"memory": false}'
exit_is 120 'GetObject: a lost answer' call save k "$T/big"
contains 'GetObject: what it says of that' "$ERR" 'cannot be seen'
without DeleteObject
call save k "$T/big" >/dev/null 2>&1
exit_is 30 'DeleteObject: deleting' call delete k
contains 'DeleteObject: what it says' "$ERR" 'deleting k from bucket bucket'
contains 'DeleteObject: what deletes then' "$ERR" 'lifecycle rule'
without ListBucketVersions '"versions": true'
is 'ListBucketVersions: a key that never was may be hidden' "$(call delete never 2>/dev/null)" 'never hidden 0'
without DeleteObjectVersion '"versions": true'
is 'DeleteObjectVersion: a marker that hides nothing stays' "$(call delete never 2>/dev/null)" 'never deleted 0'
is 'DeleteObjectVersion: and is there' "$(s3_state store '.objects.never[0].marker')" true
without AbortMultipartUpload '' '{"match": "PUT partNumber=3&", "reply": {"status": 403}}'
exit_is 30 'AbortMultipartUpload: an upload that fails' call save k "$T/big"
contains 'AbortMultipartUpload: what it says' "$ERR" 'lifecycle rule for incomplete uploads'
is 'AbortMultipartUpload: it is left' "$(uploads store k)" 1
exit_is 30 'AbortMultipartUpload: sweeping' call sweep 0
contains 'AbortMultipartUpload: how many' "$ERR" '1 of the unfinished uploads could not be ended'
without ListMultipartUploadParts '' '{"match": "PUT partNumber=3&", "reply": {"status": 403}}'
exit_is 30 'ListMultipartUploadParts: an upload that fails' call save k "$T/big"
contains 'ListMultipartUploadParts: what it says' "$ERR" 'no right to see whether a part is left'
lacks 'ListMultipartUploadParts: which is not that it goes on' "$ERR" 'could not be ended'
is 'ListMultipartUploadParts: it is ended' "$(uploads store k)" 0
without ListMultipartUploadParts '' '{"match": "PUT partNumber=3&", "reply": {"status": 403}}' '{"match": "DELETE uploadId", "reply": {"status": 403}}'
call save k "$T/big" >/dev/null 2>&1
is 'ListMultipartUploadParts: an upload is left' "$(uploads store k)" 1
server_rules store
exit_is 30 'ListMultipartUploadParts: sweeping' call sweep 0
is 'ListMultipartUploadParts: what may be alive stays' "$(uploads store k)" 1
without ListBucketMultipartUploads
exit_is 30 'ListBucketMultipartUploads: sweeping' call sweep 0
contains 'ListBucketMultipartUploads: what it says' "$ERR" 'lifecycle rule for incomplete uploads'
without GetBucketVersioning '"versions": true'
exit_is 0 'GetBucketVersioning: saving' call save k "$T/big"
contains 'GetBucketVersioning: what it says' "$ERR" 'versions and locks is not known'
without GetBucketObjectLockConfiguration '"versions": true, "locks": true'
exit_is 0 'GetBucketObjectLockConfiguration: a lock is asked of the store' with BACKUP_S3_OBJECT_LOCK_DAYS=1 call save k "$T/big"
isnt 'GetBucketObjectLockConfiguration: and is there' "$(s3_state store '.objects.k[0].headers["x-amz-object-lock-mode"]')" null
without PutObjectRetention '"versions": true, "locks": true'
exit_is 30 'PutObjectRetention: a lock' with BACKUP_S3_OBJECT_LOCK_DAYS=1 call save k "$T/big"
exit_is 0 'PutObjectRetention: without one' call save k "$T/big"
without GetObjectRetention '"versions": true, "locks": true'
exit_is 0 'GetObjectRetention: a locked one' with BACKUP_S3_OBJECT_LOCK_DAYS=1 call save k "$T/big"
is 'GetObjectRetention: is hidden, not kept' "$(call delete k 2>/dev/null)" 'k hidden 0'
without PutObjectTagging
exit_is 30 'PutObjectTagging: tags' with BACKUP_S3_TAGS=a=b call save k "$T/big"
exit_is 0 'PutObjectTagging: without' call save k "$T/big"
is 'the object is whole' "$(holds store k)" "$sum"
without kms:GenerateDataKey
for size in big small; do
    exit_is 30 "kms:GenerateDataKey: a $size one" with BACKUP_S3_SSE=aws:kms call save "$size" "$T/$size"
    contains "kms:GenerateDataKey: the store's word for it ($size)" "$ERR" 'no right to kms:GenerateDataKey'
    is "kms:GenerateDataKey: nothing is there ($size)" "$(holds store "$size")$(uploads store "$size")" none0
done
exit_is 0 'kms:GenerateDataKey: without aws:kms' call save k "$T/big"
without kms:Decrypt
exit_is 0 'kms:Decrypt: in one request' with BACKUP_S3_SSE=aws:kms call save small "$T/small"
is 'kms:Decrypt: the store encrypts it' "$(s3_state store '.objects.small[0].headers["x-amz-server-side-encryption"]')" aws:kms
exit_is 30 'kms:Decrypt: in parts' with BACKUP_S3_SSE=aws:kms call save big "$T/big"
contains "kms:Decrypt: the store's word for it" "$ERR" 'no right to kms:Decrypt'
is 'kms:Decrypt: nothing is left of it' "$(holds store big)$(uploads store big)" none0
exit_is 30 'kms:Decrypt: fetching' call fetch small
exit_is 0 'kms:Decrypt: it is seen to be there' call stat small
without nothing
exit_is 0 'all rights: in parts' with BACKUP_S3_SSE=aws:kms call save big "$T/big"
is 'all rights: the object is whole' "$(holds store big)" "$sum"
exit_is 0 'all rights: fetching' call fetch big
finish
