# A private S3 server: OpenStack Swift with s3api, which is strict about signatures, regions and digests.
# Sourced after env.sh. Call from the script itself, not from a subshell: a server ends with the process
# that started it.
#
#   swift_start [--tls]   five processes on free ports of 127.0.0.1, data in its own folder; sets
#                         S3_ENDPOINT, S3_CA (with --tls: the file of the authority that signed it)
#   swift_env             exports AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION and
#                         AWS_ENDPOINT_URL_S3 (and AWS_CA_BUNDLE with --tls)
#   swift_stop            ends it; also done at the end of the script
#   s3api COMMAND...      Debian's aws client (a program independent of ours): aws s3api COMMAND
#   s3_bucket NAME        makes a bucket
#   s3_keys BUCKET        prints every key, one a line; s3_uploads BUCKET: unfinished uploads
#
# Keep to bucket names of [a-z0-9-]; virtual-hosted names are BUCKET.localhost. No part is smaller than
# 5 MiB, but for the last.

S3_KEY=test:tester S3_SECRET=testing0123456789 S3_REGION=us-east-1
declare -A _swift_pid _swift_start_time

_swift_die() {
    echo "tests/lib/swift.sh: $*" >&2
    return 1
}

_swift_tls() { # a throw-away authority and a certificate for localhost and its subdomains
    local d=$1
    mkdir -p "$d"
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=test authority' -keyout "$d/ca.key" \
        -out "$d/ca.pem" -addext basicConstraints=critical,CA:TRUE \
        -addext keyUsage=critical,keyCertSign 2>/dev/null &&
        openssl req -newkey rsa:2048 -nodes -subj '/CN=localhost' -keyout "$d/key.pem" -out "$d/req.pem" 2>/dev/null &&
        openssl x509 -req -in "$d/req.pem" -CA "$d/ca.pem" -CAkey "$d/ca.key" -CAcreateserial -days 2 \
            -out "$d/cert.pem" -extfile <(printf '%s\n' \
            'subjectAltName=DNS:localhost,DNS:*.localhost,IP:127.0.0.1' 'extendedKeyUsage=serverAuth') 2>/dev/null
}

_swift_spawn() { # _swift_spawn NAME COMMAND...
    local name=$1
    shift
    SWIFT_DIR=$SWIFT_ETC setpriv --pdeathsig TERM "$@" >>"$SWIFT_DIR/$name.log" 2>&1 </dev/null &
    _swift_pid[$name]=$!
    _swift_start_time[$name]=$(start_time $!)
}

_swift_listens() { # _swift_listens NAME PORT: yes, or its process is gone
    (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null || is_gone "${_swift_pid[$1]}" "${_swift_start_time[$1]}"
}

_swift_conf() { # _swift_conf KIND PORT
    cat <<CONF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $2
swift_dir = $SWIFT_ETC
devices = $SWIFT_DIR/disk
mount_check = false
fallocate_reserve = 0
disable_fallocate = true
user = $(id -un)
workers = 0
log_address = /nonexistent
log_level = WARNING
[pipeline:main]
pipeline = $1-server
[app:$1-server]
use = egg:swift#$1
replication_server = false
CONF
}

_swift_proxy_conf() { # _swift_proxy_conf PORT CACHE-PORT TLS-FOLDER-OR-NOTHING
    cat <<CONF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $1
swift_dir = $SWIFT_ETC
user = $(id -un)
workers = 0
log_address = /nonexistent
log_level = WARNING
${3:+cert_file = $3/cert.pem}
${3:+key_file = $3/key.pem}
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth copy slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$2
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
location = $S3_REGION
storage_domain = localhost
dns_compliant_bucket_names = true
force_swift_request_proxy_log = false
max_upload_part_num = 10000
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = $S3_SECRET .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
[filter:symlink]
use = egg:swift#symlink
CONF
}

_swift_ring() { # _swift_ring KIND PORT
    swift-ring-builder "$SWIFT_ETC/$1.builder" create 4 1 0 &&
        swift-ring-builder "$SWIFT_ETC/$1.builder" add "r1z1-127.0.0.1:$2/d1" 1 &&
        swift-ring-builder "$SWIFT_ETC/$1.builder" rebalance
}

# Ports below the range from which the kernel serves outgoing connections. Another process may take one
# between the look and the start: the whole start is tried again then.
_swift_try() { # _swift_try TLS-FOLDER-OR-NOTHING
    local tls=$1 base=$((20000 + (RANDOM * 32768 + RANDOM) % 11990)) n=0 kind scheme=http
    [ -z "$tls" ] || scheme=https
    rm -rf "$SWIFT_ETC" && mkdir -p "$SWIFT_ETC" "$SWIFT_DIR/disk/d1"
    for n in 0 1 2 3 4; do
        ! (exec 3<>"/dev/tcp/127.0.0.1/$((base + n))") 2>/dev/null || return 1
    done
    printf '%s\n' '[swift-hash]' 'swift_hash_path_prefix = test' 'swift_hash_path_suffix = test' \
        '[storage-policy:0]' 'name = only' 'default = yes' >"$SWIFT_ETC/swift.conf"
    n=0
    for kind in object container account; do
        n=$((n + 1))
        _swift_ring $kind $((base + n)) >>"$SWIFT_DIR/ring.log" 2>&1 || _swift_die 'no ring' || return 1
        _swift_conf $kind $((base + n)) >"$SWIFT_ETC/$kind.conf"
    done
    _swift_proxy_conf "$base" $((base + 4)) "$tls" >"$SWIFT_ETC/proxy.conf"
    _swift_spawn memcached memcached -u "$(id -un)" -l 127.0.0.1 -p $((base + 4)) -U 0 -m 32
    n=0
    for kind in object container account; do
        n=$((n + 1))
        _swift_spawn $kind swift-$kind-server "$SWIFT_ETC/$kind.conf" -v
    done
    _swift_spawn proxy swift-proxy-server "$SWIFT_ETC/proxy.conf" -v
    n=0
    for kind in proxy object container account memcached; do
        poll 60 _swift_listens $kind $((base + n)) &&
            ! is_gone "${_swift_pid[$kind]}" "${_swift_start_time[$kind]}" || return 1
        n=$((n + 1))
    done
    S3_ENDPOINT=$scheme://localhost:$base
}

swift_start() {
    local tls='' try
    S3_CA=
    SWIFT_DIR=$T/swift
    SWIFT_ETC=$SWIFT_DIR/etc
    mkdir -p "$SWIFT_DIR"
    if [ "${1:-}" = --tls ]; then
        tls=$SWIFT_DIR/tls
        _swift_tls "$tls" || _swift_die 'no certificate' || return 1
        S3_CA=$tls/ca.pem
    fi
    for try in 1 2 3 4 5; do
        _swift_try "$tls" && return 0
        swift_stop
    done
    tail -n 5 "$SWIFT_DIR"/*.log >&2
    _swift_die 'OpenStack Swift does not start'
}

swift_env() {
    export AWS_ACCESS_KEY_ID=$S3_KEY AWS_SECRET_ACCESS_KEY=$S3_SECRET AWS_DEFAULT_REGION=$S3_REGION
    export AWS_ENDPOINT_URL_S3=$S3_ENDPOINT
    [ -z "$S3_CA" ] || export AWS_CA_BUNDLE=$S3_CA
}

_swift_gone() {
    is_gone "${_swift_pid[$1]}" "${_swift_start_time[$1]}"
}

swift_stop() {
    local name
    for name in "${!_swift_pid[@]}"; do
        _swift_gone "$name" || kill -TERM "${_swift_pid[$name]}" 2>/dev/null
    done
    for name in "${!_swift_pid[@]}"; do
        poll 10 _swift_gone "$name" || kill -KILL "${_swift_pid[$name]}" 2>/dev/null
        wait "${_swift_pid[$name]}" 2>/dev/null
        unset "_swift_pid[$name]"
    done
}
at_exit swift_stop

s3api() {
    env AWS_ACCESS_KEY_ID="$S3_KEY" AWS_SECRET_ACCESS_KEY="$S3_SECRET" AWS_DEFAULT_REGION="$S3_REGION" \
        AWS_PAGER= AWS_EC2_METADATA_DISABLED=true ${S3_CA:+AWS_CA_BUNDLE="$S3_CA"} \
        /usr/bin/aws --endpoint-url "$S3_ENDPOINT" s3api "$@"
}

s3_bucket() {
    s3api create-bucket --bucket "$1" >/dev/null
}

s3_keys() {
    s3api list-objects-v2 --bucket "$1" --output json | jq -r '.Contents[]?.Key' | LC_ALL=C sort
}

s3_uploads() {
    s3api list-multipart-uploads --bucket "$1" --output json | jq -r '.Uploads[]? | "\(.Key) \(.UploadId)"'
}
