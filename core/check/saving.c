/* Saves that go well. */
#include "config.h"
#include "core/check/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)

static void check_size(struct check *c, uint64_t size)
{
    char key[SR_STORAGE_KEY_MAX];
    uint64_t listed = 0;
    struct source s = SOURCE(size, size % 1000);
    struct sr_storage_saved saved;
    struct sr_storage_deletion d;
    check_key(c, "size", key);
    int32_t code = call_save(c, &c->a, key, &s, size, 0, &saved);
    int good = code == SR_STORAGE_OK && s.ended && !s.empty_asked &&
               check_visible(c, key, &listed) == 1 && listed == size &&
               check_holds(c, key, size, size % 1000);
    if ((saved.confirmed & SR_STORAGE_CONFIRMED_SIZE) && saved.object_size != size) {
        check_note(c, "the size confirmed is %" PRIu64, saved.object_size);
        good = 0;
    }
    if ((saved.confirmed & SR_STORAGE_CONFIRMED_CHECKSUM) &&
        (saved.checksum_len == 0 || saved.checksum_len > SR_STORAGE_CHECKSUM_MAX)) {
        check_note(c, "the checksum confirmed has %" PRIu64 " bytes", saved.checksum_len);
        good = 0;
    }
    if ((saved.confirmed & SR_STORAGE_CONFIRMED_VERSION) &&
        (!*saved.version || !memchr(saved.version, '\0', sizeof saved.version))) {
        check_note(c, "the version confirmed is empty or has no end");
        good = 0;
    }
    check_that(c, good, "an object of %" PRIu64 " bytes is saved, listed and fetched", size);
    if (size > MIB)
        (void)call_delete(c, &c->a, key, &d);
}

/* The size that the plugin says its uploads are cut into; 0: it does not say. */
static uint64_t part_size(struct check *c)
{
    char *value = NULL;
    uint64_t size = 0;
    const struct sr_storage_setting *row = sr_setting_row(&c->view, "part_size");
    if (row && row->type == SR_STORAGE_TYPE_SIZE &&
        sr_setting_get(&c->view, "part_size", &value, NULL, NULL) == SR_OK && value)
        size = strtoull(value, NULL, 10);
    free(value);
    return size;
}

static void check_sizes(struct check *c)
{
    static const uint64_t sizes[] = {
        0,           1,       2,           4095,         4096,        65535,       65536,
        65537,       MIB - 1, MIB,         MIB + 1,      5 * MIB - 1, 5 * MIB,     5 * MIB + 1,
        8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 16 * MIB - 1, 16 * MIB,    16 * MIB + 1};
    const char *what = "exact parts and one byte more or less, as the setting part_size has them";
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check_size(c, sizes[i]);
    uint64_t part = part_size(c);
    if (part == 0)
        check_skip(c, what, "the plugin has no setting part_size");
    else if (part > c->large)
        check_skip(c, what, "it is more than the large object has");
    else
        for (uint64_t n = 1; n <= 3; n++)
            for (int d = -1; d <= 1; d++)
                check_size(c, n * part + (uint64_t)(int64_t)d);
}

static void check_large(struct check *c)
{
    char key[SR_STORAGE_KEY_MAX];
    struct source s = SOURCE(c->large, 99);
    struct sr_storage_deletion d;
    int32_t code =
        call_save(c, &c->a, check_key(c, "large", key), &s, SR_STORAGE_SIZE_UNKNOWN, 0, NULL);
    check_that(c, code == SR_STORAGE_OK && check_holds(c, key, c->large, 99),
               "an object of %" PRIu64 " bytes whose length was unknown (code %d)", c->large,
               (int)code);
    (void)call_delete(c, &c->a, key, &d);
    if (c->quick)
        check_skip(c, "an object of 1 GiB whose length was unknown", "--quick");
    else if (c->large < CHECK_LARGE)
        check_skip(c, "an object of 1 GiB whose length was unknown", "--large asks for less");
}

static void check_hints(struct check *c)
{
    const uint64_t hints[] = {SR_STORAGE_SIZE_UNKNOWN, 0, 1, MIB, 100 * MIB};
    char key[SR_STORAGE_KEY_MAX];
    int good = 1;
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
        struct source s = SOURCE(MIB + 7, i);
        good &= call_save(c, &c->a, check_key(c, "hint", key), &s, hints[i], 0, NULL) ==
                    SR_STORAGE_OK &&
                check_holds(c, key, MIB + 7, i);
    }
    check_that(c, good, "a size hint that is wrong or missing does no harm");
}

static void check_readers(struct check *c)
{
    char key[SR_STORAGE_KEY_MAX];
    struct source s = SOURCE(3000, 5);
    s.chunk = 1;
    check_that(c,
               call_save(c, &c->a, check_key(c, "bytewise", key), &s, 3000, 0, NULL) ==
                       SR_STORAGE_OK &&
                   check_holds(c, key, 3000, 5),
               "a reader that gives one byte at a time");
    s = SOURCE(MIB + 3, 6);
    s.chunk = 10007;
    s.again_every = 2;
    check_that(c,
               call_save(c, &c->a, check_key(c, "again", key), &s, MIB + 3, 0, NULL) ==
                       SR_STORAGE_OK &&
                   check_holds(c, key, MIB + 3, 6),
               "a reader that answers \"again\" every other time");
    s = SOURCE(0, 7);
    s.again_every = 2;
    s.reads = 1; /* the very first answer is "again" */
    check_that(c,
               call_save(c, &c->a, check_key(c, "again-empty", key), &s, 0, 0, NULL) ==
                       SR_STORAGE_OK &&
                   s.ended && check_holds(c, key, 0, 7),
               "\"again\" before the end of an empty object is not its end");
}

static void check_create_only(struct check *c)
{
    char key[SR_STORAGE_KEY_MAX];
    check_key(c, "once", key);
    int put = check_put(c, key, 1000, 1);
    struct source s = SOURCE(2000, 2);
    int32_t code = call_save(c, &c->a, key, &s, 2000, 0, NULL);
    check_that(c, put && code == SR_STORAGE_E_EXISTS, "a key that is taken is refused (code %d)",
               (int)code);
    check_that(c, check_holds(c, key, 1000, 1), "and the object that was there is untouched");
    s = SOURCE(0, 2);
    code = call_save(c, &c->a, key, &s, 0, 0, NULL);
    check_that(c, code == SR_STORAGE_E_EXISTS && check_holds(c, key, 1000, 1),
               "also for an empty object");
    s = SOURCE(500, 3);
    code = call_save(c, &c->a, key, &s, 500, SR_STORAGE_SAVE_REPLACE, NULL);
    if (code == SR_STORAGE_E_UNSUPPORTED)
        check_that(c, check_holds(c, key, 1000, 1), "replacing is unsupported and changes nothing");
    else
        check_that(c, code == SR_STORAGE_OK && check_holds(c, key, 500, 3),
                   "with the flag it is replaced");
}

static void check_late(struct check *c)
{
    char key[SR_STORAGE_KEY_MAX], taken[SR_STORAGE_KEY_MAX];
    if (!(c->a.caps & SR_CAP_LATE_KEY)) {
        check_skip(c, "a name given after the bytes", "the handle lacks SR_CAP_LATE_KEY");
        return;
    }
    struct source s = SOURCE(MIB, 11);
    s.late_key = check_key(c, "late/inside", key);
    int32_t code = call_save(c, &c->a, NULL, &s, SR_STORAGE_SIZE_UNKNOWN, 0, NULL);
    check_that(c, code == SR_STORAGE_OK && check_holds(c, key, MIB, 11),
               "a name given after the bytes");
    check_that(c, s.late_asked == 1 && !s.late_early, "is asked for once, after the end");
    (void)check_put(c, check_key(c, "late-taken", taken), 10, 12);
    s = SOURCE(MIB, 13);
    s.late_key = taken;
    code = call_save(c, &c->a, NULL, &s, SR_STORAGE_SIZE_UNKNOWN, 0, NULL);
    check_that(c, code == SR_STORAGE_E_EXISTS && check_holds(c, taken, 10, 12),
               "a late name that is taken is refused");
    s = SOURCE(10, 14);
    code = call_save(c, &c->a, NULL, &s, 10, 0, NULL);
    check_that(c, code != SR_STORAGE_OK, "a name that never comes fails the save");
    s = SOURCE(10, 14);
    s.late_key = key;
    s.fail_at = 5;
    code = call_save(c, &c->a, NULL, &s, 10, 0, NULL);
    check_that(c, code != SR_STORAGE_OK && s.late_asked == 0,
               "no name is asked for when the reader fails");
}

void check_saving(struct check *c)
{
    check_sizes(c);
    check_hints(c);
    check_large(c);
    check_readers(c);
    check_create_only(c);
    check_late(c);
}
