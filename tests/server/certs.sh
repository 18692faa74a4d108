#!/bin/bash
# certs.sh DIR: a throw-away authority and what it signed, for localhost, bucket.localhost, *.s3.localhost, *.s3.eu-west-1.amazonaws.com, 127.0.0.1
# and ::1:
# DIR/ca.pem, DIR/server.pem with DIR/server.key; and DIR/other-ca.pem, which signed nothing.
set -eu
umask 077
dir=$1
mkdir -p "$dir"
cd "$dir"
new='req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2'
for ca in ca other-ca; do
    openssl $new -keyout $ca.key -out $ca.pem -subj "/CN=throw-away $ca" \
        -addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign 2>/dev/null
done
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr \
    -subj /CN=localhost 2>/dev/null
printf 'subjectAltName=DNS:localhost,DNS:*.s3.localhost,DNS:bucket.localhost,DNS:*.s3.eu-west-1.amazonaws.com,IP:127.0.0.1,IP:::1\n' >server.ext
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext \
    -out server.pem 2>/dev/null
chmod 644 ca.pem other-ca.pem server.pem
