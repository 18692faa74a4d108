#!/bin/bash
# The restore code against a private PostgreSQL.
exec "${SR_SRCDIR:?}/tests/with-pg.sh" "${SR_BUILDDIR:?}/tests/unit/test_restore_live"
