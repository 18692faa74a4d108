# Everything an end-to-end test needs; sourced by bash scripts:
#
#   . "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
#   pg_start && pg_env && dataset shop 100
#   exit_is 0 'a backup is made' sr backup --label first
#   finish
#
# tests/lib/env.sh: clean environment, private folder $T, `sr`. tests/lib/pg.sh: servers.
# tests/lib/gpg.sh: keys. tests/lib/data.sh: data sets. tests/lib/program.sh: the store. tests/lib/assert.sh: assertions.

_sr_lib=$(cd "$(dirname "${BASH_SOURCE[0]}")/lib" && pwd)
. "$_sr_lib/env.sh"
. "$_sr_lib/assert.sh"
. "$_sr_lib/pg.sh"
. "$_sr_lib/gpg.sh"
. "$_sr_lib/data.sh"
. "$_sr_lib/program.sh"
cd "$T" || exit 1
