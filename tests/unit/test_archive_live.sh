#!/bin/bash
# Restoring archives into a private PostgreSQL.
exec "${SR_SRCDIR:?}/tests/with-pg.sh" "${SR_BUILDDIR:?}/tests/unit/test_archive_live"
