#!/bin/bash
# SharedKey against an independent signer: python3-azure-storage. SR_SEED repeats a run that failed.
set -eu
exec /usr/bin/python3 -B "$SR_SRCDIR/tests/unit/sharedkey_azure.py" "$SR_BUILDDIR/tests/unit/sharedkey_lines" ${SR_SEED:+"$SR_SEED"}
