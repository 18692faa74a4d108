#!/bin/bash
# The PostgreSQL source against a private server.
exec "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/with-pg.sh" "${SR_BUILDDIR:-build}/tests/unit/test_pg_live"
