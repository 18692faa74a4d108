# The code in docs/writing-a-plugin.md compiles, and the first plugin in it is true to the interface.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
guide=$SR_SRCDIR/docs/writing-a-plugin.md
# `<!-- file: NAME -->` stands before each block and says where it belongs; blocks of one file follow each other.
awk -v at="$T" '
    /^<!-- file: / { file = $3; next }
    /^```c$/ { if (file == "") { print "line " NR " has no file" >(at "/stray") } on = 1; next }
    /^```$/ { on = 0; file = ""; next }
    on { print >(at "/" file) }' "$guide"
no 'each block belongs to a file' test -s "$T/stray"
is 'the files' "$(cd "$T" && ls ./*.c | tr '\n' ' ')" './hello.c ./network.c '
ok 'none is a stub' test "$(wc -l <"$T/hello.c")" -gt 150 -a "$(wc -l <"$T/network.c")" -gt 200
strict='-Wall -Wextra -Wshadow -Werror -pedantic-errors'
for cc in gcc clang; do
    # shellcheck disable=SC2086
    ok "hello.c compiles with $cc" $cc -std=c11 -D_XOPEN_SOURCE=700 $strict -I"$SR_SRCDIR/include" -shared -fPIC -o "$T/$cc.so" "$T/hello.c"
    # shellcheck disable=SC2086
    ok "network.c compiles with $cc" $cc -std=c11 -D_XOPEN_SOURCE=700 $strict -I"$SR_SRCDIR/include" -c -fPIC -o "$T/network.o" "$T/network.c"
done
# As it stands there.
ok 'the guide has the line that builds it' grep -qx '    cc $(pkg-config --cflags strongroom) -shared -fPIC -o hello.so hello.c' "$guide"
ok 'it builds it' "${SR_CC:-cc}" -I"$SR_SRCDIR/include" -shared -fPIC -o "$T/hello.so" "$T/hello.c"
exit_is 0 'and what it builds keeps every promise' "$SR_BUILDDIR/strongroom-plugin-check" --large 16MiB "$T/hello.so"
lacks 'every one' "$OUT" 'not ok'
is 'every name is one of the header' "$(grep -oE '\b(SR|sr)_[A-Za-z_0-9]+' "$guide" | sort -u |
    while read -r name; do grep -qw -- "$name" "$SR_SRCDIR/include/strongroom/storage.h" || echo "$name"; done)" ''
finish
