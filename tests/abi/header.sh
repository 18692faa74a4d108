# The installed header compiles alone: strict C11 and C++17, by every compiler that is here.
set -u
dir=$(mktemp -d "${TMPDIR:-/tmp}/sr-header-XXXXXX") || exit 2
trap 'rm -rf "$dir"' EXIT
failed=0
tried=0

cat >"$dir/plugin.c" <<'END'
#include <strongroom/storage.h>
static int32_t hello_open(const struct sr_storage_host *host,
                          const struct sr_storage_open_options *options, void **ret_handle)
{
    (void)options;
    *ret_handle = (void *)(uintptr_t)host;
    return SR_STORAGE_HAS(host, struct sr_storage_host, deadline) ? SR_STORAGE_OK
                                                                  : SR_STORAGE_E_UNSUPPORTED;
}
static struct sr_storage_plugin hello = {.name = "hello", .open = hello_open};
SR_STORAGE_REGISTER(hello, hello);
END
cat >"$dir/plugin.cc" <<'END'
#include <strongroom/storage.h>
namespace {
int32_t hello_delete(void *, const sr_storage_delete_options *options, sr_storage_deletion *ret)
{
    ret->outcome = options->key ? SR_STORAGE_DELETED : SR_STORAGE_KEPT;
    return SR_STORAGE_OK;
}
sr_storage_plugin make()
{
    sr_storage_plugin p{};
    p.name = "hello";
    p.capabilities = SR_CAP_LATE_KEY | SR_CAP_METADATA;
    p.delete_object = hello_delete;
    return p;
}
sr_storage_plugin hello = make();
}
SR_STORAGE_REGISTER(hello, hello);
END
# Nothing else may come in with it, and nothing may be needed before it.
printf '#include <strongroom/storage.h>\n#ifdef _STDIO_H\n#error stdio\n#endif\nint x;\n' >"$dir/alone.c"

try() { # COMPILER ARGS...
    if ! command -v "$1" >/dev/null; then
        [ -z "${CI:-}" ] || { echo "$1 is missing"; failed=1; }
        return 0
    fi
    tried=$((tried + 1))
    if "$@" -pedantic-errors -Wall -Wextra -Wconversion -Wshadow -Wundef -Werror \
        -I"$SR_SRCDIR/include"; then
        echo "compiles: $*"
    else
        echo "does not compile: $*"
        failed=1
    fi
}
for cc in gcc clang; do
    for std in c11 c17; do
        try $cc -std=$std -Wstrict-prototypes -Wmissing-prototypes -c "$dir/plugin.c" -o "$dir/a.o"
        try $cc -std=$std -DSR_STORAGE_STATIC -c "$dir/plugin.c" -o "$dir/static.o"
        try $cc -std=$std -c "$dir/alone.c" -o "$dir/b.o"
    done
done
for cxx in g++ clang++; do
    for std in c++17 c++20; do
        try $cxx -std=$std -c "$dir/plugin.cc" -o "$dir/c.o"
    done
done
[ $tried -gt 0 ] || { echo "no compiler was found"; failed=1; }
nm "$dir/a.o" | grep -q ' T sr_storage_plugin_entry$' || { echo "sr_storage_plugin_entry is not made"; failed=1; }
nm "$dir/static.o" | grep -q ' T sr_storage_plugin_entry_hello$' ||
    { echo "sr_storage_plugin_entry_hello is not made"; failed=1; }
exit $failed
