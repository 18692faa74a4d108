#!/bin/bash
# with-pg.sh [--password P] COMMAND...: runs COMMAND with a private PostgreSQL, which ends with it.
# COMMAND finds PGHOST, PGPORT, PGUSER, PGPASSWORD, SR_PG_BIN, and a private HOME and T.
. "$(dirname "$0")/lib/env.sh"
. "$SR_SRCDIR/tests/lib/pg.sh"
password=secret
[ "${1:-}" != --password ] || { password=$2; shift 2; }
pg_start --password "$password" || exit 1
pg_env
export SR_PG_BIN=$PG_BIN T
"$@"
