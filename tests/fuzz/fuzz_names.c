/* Names: escaping can be undone, keys made of any names are legal and read back, and reading a
 * foreign key never gives parts that make another one. */
#include "config.h"
#include "core/catalog/names.h"
#include "core/store/store.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

/* Any text as a key. */
static void read_key(const char *text)
{
    struct sr_key_parts p;
    char again[SR_KEY_MAX];
    sr_key_parse(text, &p);
    if (p.kind == SR_KEY_OTHER)
        return;
    check(sr_key_check(text, NULL) == SR_OK);
    check(sr_key_belongs(text, p.set));
    if (p.kind == SR_KEY_CLAIM) {
        check(sr_claim_key(p.set, again, sizeof again, NULL) == SR_OK);
        check(strcmp(again, text) == 0);
        return;
    }
    if (p.kind != SR_KEY_OBJECT) {
        check(sr_beside_key(p.set, p.source, p.suffix, again, sizeof again, NULL) == SR_OK);
        check(strcmp(again, text) == 0);
        return;
    }
    (void)snprintf(again, sizeof again, "%s%s%s%s%s.%s", p.set, *p.sha256 ? "-" : "", p.sha256,
                   *p.database ? "." : "", p.database, p.suffix);
    check(strcmp(again, text) == 0);
}

/* Any text as a label and as a database. */
static void make_keys(const char *text, int64_t now)
{
    char label[SR_LABEL_MAX + 1], source[SR_SOURCE_MAX], set[SR_SET_MAX], key[SR_KEY_MAX];
    char back[8192];
    struct sr_key_parts p;
    if (sr_source_escape(text, source, NULL) != SR_OK)
        return;
    check(sr_name_unescape(source, back, sizeof back, NULL) == SR_OK);
    /* One that was cut is at most an escape shorter than what fits. */
    check(strlen(source) >= SR_SOURCE_MAX - 4 || strcmp(back, text) == 0);
    if (sr_label_escape(text, label, NULL) != SR_OK)
        return;
    check(sr_name_unescape(label, back, sizeof back, NULL) == SR_OK && strcmp(back, text) == 0);
    check(sr_set_make(label, now, 1, set, NULL) == SR_OK);
    struct sr_object_name n = {set, NULL, source, "dump", "zst", 1};
    check(sr_object_key(&n, key, sizeof key, NULL) == SR_OK);
    check(sr_key_check(key, NULL) == SR_OK);
    sr_key_parse(key, &p);
    check(p.kind == SR_KEY_OBJECT && strcmp(p.set, set) == 0);
    check(sr_beside_key(set, source, "manifest.json", key, sizeof key, NULL) == SR_OK);
    check(sr_key_check(key, NULL) == SR_OK);
    sr_key_parse(key, &p);
    check(p.kind == SR_KEY_MANIFEST && strcmp(p.set, set) == 0 && strcmp(p.source, source) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[512];
    char back[512];
    if (size >= sizeof text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    read_key(text);
    make_keys(text, (int64_t)size * 86400);
    (void)sr_name_unescape(text, back, sizeof back, NULL);
    return 0;
}
