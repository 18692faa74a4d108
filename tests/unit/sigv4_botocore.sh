#!/bin/bash
# SigV4 against an independent signer: python3-botocore. SR_SEED repeats a run that failed.
set -eu
exec /usr/bin/python3 -B "$SR_SRCDIR/tests/unit/sigv4_botocore.py" "$SR_BUILDDIR/tests/unit/sigv4_lines" ${SR_SEED:+"$SR_SEED"}
