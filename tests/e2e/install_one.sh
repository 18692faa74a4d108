# make install-NAME: one plugin and its page, and nothing else, into a host that has strongroom already.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
plugins=$(BACKUP_PLUGIN_PATH=$(sr_plugin_path) "$SR_BUILDDIR/strongroom" plugins --json | jq -r '.plugins[] | select(.loads) | .name')
for name in s3 gcs azure; do
    if ! grep -qx "$name" <<<"$plugins"; then
        exit_is 2 "$name is not part of this build" make -s -C "$SR_BUILDDIR" "install-$name" DESTDIR="$T/none"
        contains "$name: which is said" "$ERR" "no adapter $name"
        continue
    fi
    exit_is 0 "make install-$name" make -s -C "$SR_BUILDDIR" "install-$name" DESTDIR="$T/$name"
    is "$name: the plugin and its page" "$(find "$T/$name" -type f -printf '%f\n' | sort | paste -sd' ')" "$name.so strongroom-$name.7"
    folder=$(dirname "$(find "$T/$name" -name "$name.so")")
    exit_is 0 "$name: a host that has it finds it" with BACKUP_PLUGIN_PATH="$folder" "$SR_BUILDDIR/strongroom" plugins "$name" --json
    is "$name: where it was installed" "$(json '.plugins[0].file')" "$folder/$name.so"
    # What it needs comes from the machine, not from the build.
    is "$name: it needs nothing of the build folder" "$(ldd "$folder/$name.so" | grep -e "$SR_BUILDDIR" -e 'not found')" ''
done
finish
