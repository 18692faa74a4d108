# What may be loaded as a plugin, and from where: nothing of the working folder, nothing that a caller with fewer
# rights names, nothing on a way that others can change; and a crash names the plugin.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
sr_env
plugin() { # plugin FILE NAME VARIANT: a plugin that leaves a mark as soon as its code runs
    printf '#include "%s/tests/abi/variant.c"\n#include <fcntl.h>\n__attribute__((constructor)) static void mark(void)\n{\n    (void)!open("%s/ran", O_CREAT | O_WRONLY, 0600);\n}\n' \
        "$SR_SRCDIR" "$T" >"$T/plugin.c"
    ${SR_CC:-cc} -std=c11 -D_GNU_SOURCE -shared -fPIC -I"$SR_SRCDIR/include" -D"VARIANT_$3" -o "$1" "$T/plugin.c" || exit 2
}
mkdir -m 755 "$T/good" "$T/cwd" && cd "$T/cwd" || exit 1
plugin "$T/good/variant.so" variant NONE
chmod 711 "$T" && cp "$T/good/variant.so" "$T/cwd/variant.so" && rm -f "$T/ran"

exit_is 0 'a plugin in a folder that was named' with BACKUP_PLUGIN_PATH="$T/good" sr plugins variant
ok 'is run' test -e "$T/ran"
rm -f "$T/ran"
# The working folder holds one of that name.
for path in '' ':' '::' "$T/none:" ":$T/none"; do
    exit_is 2 "BACKUP_PLUGIN_PATH='$path' is not the working folder" with BACKUP_STORAGE_ADAPTER=variant BACKUP_PLUGIN_PATH="$path" sr list
done
for path in . ./ ../cwd cwd "$T/good:."; do
    exit_is 2 "BACKUP_PLUGIN_PATH='$path' is refused" with BACKUP_STORAGE_ADAPTER=variant BACKUP_PLUGIN_PATH="$path" sr list
    contains "and why, '$path'" "$ERR" 'not an absolute path'
done
for which in ./variant.so variant.so ../cwd/variant.so; do
    exit_is 2 "BACKUP_STORAGE_ADAPTER=x=$which is refused" with BACKUP_STORAGE_ADAPTER="x=$which" sr list
done
run with BACKUP_STORAGE_ADAPTER=x=/proc/self/cwd/variant.so sr list
isnt 'nor by way of /proc' "$RC" 0
contains 'and why' "$ERR" 'working folder'
run with LD_LIBRARY_PATH="$T/cwd" BACKUP_STORAGE_ADAPTER=variant sr list
isnt 'the linker does not find it by its name either' "$RC" 0
no 'none of them was run' test -e "$T/ran"

# A way that others can change: in the middle of links.
mkdir "$T/open" && chmod 777 "$T/open" && mkdir -m 755 "$T/links"
ln -s "$T/good/variant.so" "$T/open/middle.so" && ln -s "$T/open/middle.so" "$T/links/variant.so"
run with BACKUP_STORAGE_ADAPTER=variant BACKUP_PLUGIN_PATH="$T/links" sr list
isnt 'a link through a folder that others may write' "$RC" 0
contains 'names that folder' "$ERR" "chmod go-w $T/open"
no 'and nothing was run' test -e "$T/ran"

# A sanitizer wants its library to be the first, and takes crashes for itself.
if ldd "$SR_BUILDDIR/strongroom" | grep -q libasan; then
    export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0:handle_segv=0"
fi
# Borrowed rights: what the caller names is ignored, and that is said. The shim tells what the kernel would.
cat >"$T/secure.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/auxv.h>
unsigned long getauxval(unsigned long type)
{
    unsigned long (*real)(unsigned long) = (unsigned long (*)(unsigned long))dlsym(RTLD_NEXT, "getauxval");
    return type == AT_SECURE ? 1 : real(type);
}
C
${SR_CC:-cc} -shared -fPIC -o "$T/secure.so" "$T/secure.c" -ldl || exit 2
run with LD_PRELOAD="$T/secure.so" BACKUP_PLUGIN_PATH="$T/good" BACKUP_STORAGE_ADAPTER=variant "$SR_BUILDDIR/strongroom" list
isnt 'borrowed rights: a plugin of the caller' "$RC" 0
contains 'it is said that the path is ignored' "$ERR" 'BACKUP_PLUGIN_PATH is ignored'
run with LD_PRELOAD="$T/secure.so" BACKUP_STORAGE_ADAPTER=x="$T/good/variant.so" "$SR_BUILDDIR/strongroom" list
contains 'nor by an absolute path' "$ERR" 'with the rights of another user'
if [ "$(id -u)" = 0 ]; then
    # For real: a copy with the set-user-ID bit, called by nobody.
    mkdir -m 755 "$T/suid" && cp "$SR_BUILDDIR"/strongroom "$SR_BUILDDIR"/strongroom-* "$T/suid/" && chmod 4755 "$T/suid/strongroom"
    run as_nobody env BACKUP_DIR="$T/suid-store" BACKUP_PLUGIN_PATH="$T/good" BACKUP_STORAGE_ADAPTER=variant "$T/suid/strongroom" list
    isnt 'a setuid strongroom' "$RC" 0
    contains 'says so as well' "$ERR" 'BACKUP_PLUGIN_PATH is ignored'
    cp "$T/secure.so" "$T/suid/evil.so"
    run as_nobody env LD_LIBRARY_PATH="$T/cwd" LD_PRELOAD="$T/cwd/variant.so" BACKUP_DIR="$T/suid-store" "$T/suid/strongroom" version
fi
no 'the plugin of the caller was never run' test -e "$T/ran"

# A crash while it is tried costs a message; one that comes later names the plugin at least.
plugin "$T/good/variant.so" variant LOAD_CRASHES
exit_is 0 'a plugin that crashes in its load' with BACKUP_PLUGIN_PATH="$T/good" sr plugins variant
matches 'is refused, and the step named' "$OUT" "refused +plugin $T/good/variant.so refused: .*its load: .*signal 6"
plugin "$T/good/variant.so" variant LOAD_CRASHES_LATER
run with BACKUP_PLUGIN_PATH="$T/good" sr plugins variant
is 'one that crashes only in strongroom itself ends it by that signal' "$RC" 139
contains 'and is named' "$ERR" "crashed in the plugin $T/good/variant.so (SIGSEGV)"
is 'no core file is left' "$(find "$T/cwd" -name 'core*')" ''
finish
