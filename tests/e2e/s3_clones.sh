# The stores of the table in docs/s3.md, each with the settings that are given there: an S3 of our own that keeps to
# the laws in which that one differs, strictly. OpenStack Swift is run itself (s3_main.sh, contract/s3.sh).
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib/env.sh"
. "$SR_SRCDIR/tests/lib/assert.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
. "$SR_SRCDIR/tests/lib/s3.sh"
. "$SR_SRCDIR/tests/lib/program.sh"
ok 'a server with TLS starts' s3_start amazon --with-tls || finish
ok 'a way to it under other names starts' server_start way --tunnel-to "127.0.0.1:$amazon_PORT" || finish
ok 'a server starts' s3_start store || finish
head -c 11000000 /dev/urandom >"$T/big"
sum=$(sha256sum <"$T/big" | cut -d' ' -f1)

# NAME, what a deletion is called, the settings, the laws (SETTINGS of tests/server/s3_state.py).
stores() {
    cat <<'TABLE'
minio      deleted  -                                                    {}
ceph       deleted  BACKUP_S3_LIST_ENCODING=false                        {"condition": "ignored", "encoding": false, "modern": false}
garage     deleted  AWS_REGION=garage                                    {"region": "garage", "modern": false}
seaweedfs  deleted  -                                                    {"condition": "ignored", "modern": false}
r2         deleted  AWS_REGION=auto,BACKUP_S3_PART_GROWTH=off            {"region": "auto", "parts_equal": true, "modern": false, "ids": false}
b2         hidden   AWS_REGION=us-west-004                               {"region": "us-west-004", "condition": "no", "versions": true, "modern": false}
spaces     deleted  AWS_REGION=nyc3,BACKUP_S3_LIST_ENCODING=false        {"region": "nyc3", "encoding": false, "modern": false}
wasabi     deleted  AWS_REGION=eu-central-1                              {"region": "eu-central-1", "modern": false}
scaleway   deleted  AWS_REGION=fr-par,BACKUP_S3_MAX_PARTS=1000           {"region": "fr-par", "parts_max": 1000, "modern": false}
gcs        deleted  AWS_REGION=auto                                      {"region": "auto", "condition": "ignored", "delete_many": false, "list": "1", "modern": false, "ids": false}
TABLE
}

works() { # works NAME SERVER DELETION SETTING...: everything that a store is used for
    local name=$1 server=$2 deletion=$3
    shift 3
    exit_is 0 "$name: an object in parts" with "$@" call save "k/b_1" "$T/big"
    is "$name: is whole" "$(holds "$server" "k/b_1")" "$sum"
    is "$name: no upload is left" "$(s3_state "$server" '.uploads | length')" 0
    exit_is 20 "$name: it is not replaced" with "$@" call save "k/b_1" "$T/big"
    exit_is 20 "$name: nor by a small one" with "$@" call save "k/b_1" "$SR_SRCDIR/LICENSE"
    exit_is 0 "$name: a small one" with "$@" call save k/2 "$SR_SRCDIR/LICENSE"
    is "$name: both are listed" "$(with "$@" call list k/ 2>/dev/null | sort | paste -sd';')" "k/2 $(wc -c <"$SR_SRCDIR/LICENSE");k/b_1 11000000"
    is "$name: it comes back" "$(with "$@" call fetch "k/b_1" 2>/dev/null | sha256sum | cut -d' ' -f1)" "$sum"
    is "$name: a range of it" "$(with "$@" call fetch "k/b_1" 5000000 99 2>/dev/null | sha256sum)" "$(tail -c +5000001 "$T/big" | head -c 99 | sha256sum)"
    is "$name: both are deleted" "$(with "$@" call delete "k/b_1" k/2 2>/dev/null | paste -sd';')" "k/b_1 $deletion 0;k/2 $deletion 0"
    is "$name: and gone" "$(with "$@" call list k/ 2>/dev/null)" ''
}

# Amazon itself: no endpoint is set, the bucket is in the host's name, and the modern headers are there.
s3_set amazon '{"tls": true, "region": "eu-west-1"}'
amazon=(-u AWS_ENDPOINT_URL_S3 AWS_REGION=eu-west-1 "https_proxy=$way_URL" no_proxy= NO_PROXY=)
works amazon amazon deleted "${amazon[@]}"
requests=$(server_requests amazon)
is 'amazon: the bucket is in the name of the host' "$(jq -r '.headers[] | select(.[0] | ascii_downcase == "host")[1]' <<<"$requests" | sort -u)" \
    bucket.s3.eu-west-1.amazonaws.com
is 'amazon: the size is told at the end' "$(jq -r 'select(.method == "POST" and (.target | test("uploadId="))).headers[] | select(.[0] | ascii_downcase == "x-amz-mp-object-size")[1]' <<<"$requests" | sort -u)" 11000000
is 'amazon: every part has its checksum' "$(jq -r 'select(.target | test("partNumber=")).headers[][0] | ascii_downcase | select(. == "x-amz-checksum-crc64nvme")' <<<"$requests" | sort -u)" x-amz-checksum-crc64nvme

while read -r name deletion settings laws; do
    s3_set store "$laws"
    [ "$settings" = - ] && settings=AWS_REGION=us-east-1
    # shellcheck disable=SC2086
    works "$name" store "$deletion" ${settings//,/ }
done < <(stores)

# What else is told of them.
s3_set store '{"locks": true, "lock_says": "InvalidRequest"}'
exit_is 0 'minio: a locked one' with BACKUP_S3_OBJECT_LOCK_DAYS=1 call save d "$SR_SRCDIR/LICENSE"
matches 'minio: is kept until' "$(call delete d 2>/dev/null)" '^d kept 1[0-9]{9}$'
s3_set store '{"condition": "no", "modern": false}'
exit_is 0 'b2: an object' call save d "$SR_SRCDIR/LICENSE"
contains 'b2: the guard is told to be weak' "$ERR" 'two hosts at once can defeat'
s3_set store '{"parts_equal": true}'
cat "$T/big" "$T/big" | head -c 16500000 >"$T/bigger"
grown=(BACKUP_S3_MAX_PARTS=4 BACKUP_S3_CONCURRENCY=5)
exit_is 90 'r2: parts that grow' with "${grown[@]}" call save d "$T/bigger"
contains 'r2: says what to set' "$ERR" 'part_growth=off'
exit_is 0 'r2: that is it' with "${grown[@]}" BACKUP_S3_PART_GROWTH=off call save d "$T/bigger"
s3_set store '{"parts_max": 2}'
exit_is 40 'scaleway: more parts than are allowed' call save d "$T/big"
exit_is 0 'scaleway: larger ones instead' with BACKUP_S3_MAX_PARTS=2 BACKUP_S3_CONCURRENCY=5 call save d "$T/big"
s3_set store '{"region": "garage"}'
exit_is 0 'garage: its region is found out' call save d "$SR_SRCDIR/LICENSE"
finish
