#!/bin/bash
# Each source of AWS credentials against a server that checks what it is sent.
set -eu
exec /usr/bin/python3 -B "$SR_SRCDIR/tests/unit/aws_sources.py" "$SR_SRCDIR" "$SR_BUILDDIR/tests/unit/aws_ask"
