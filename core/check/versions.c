/* Stores that keep what was replaced, and stores that keep until a date. */
#include "config.h"
#include "core/check/check.h"

#include <stdio.h>
#include <string.h>

struct two {
    const char *key;
    char now[SR_STORAGE_VERSION_MAX], old[SR_STORAGE_VERSION_MAX];
    unsigned now_len, old_len;
    int64_t locked_until;
};

static int see(void *ctx, const struct sr_storage_entry *e)
{
    struct two *t = ctx;
    if (strcmp(e->key, t->key) != 0 || (e->flags & SR_STORAGE_ENTRY_MARKER))
        return 0;
    int old = (e->flags & SR_STORAGE_ENTRY_OLD) != 0;
    (void)snprintf(old ? t->old : t->now, SR_STORAGE_VERSION_MAX, "%s",
                   e->version ? e->version : "");
    (*(old ? &t->old_len : &t->now_len))++;
    if (!old)
        t->locked_until = e->locked_until;
    return 0;
}

static void check_kept(struct check *c)
{
    char key[SR_STORAGE_KEY_MAX];
    struct two t = {.key = check_key(c, "versions", key)};
    struct source s = SOURCE(2000, 2);
    struct sr_storage_saved saved;
    struct sr_storage_deletion d;
    int put = check_put(c, key, 1000, 1);
    int32_t code = call_save(c, &c->a, key, &s, 2000, SR_STORAGE_SAVE_REPLACE, &saved);
    int32_t listed = call_list_flags(c, &c->a, key, "", SR_STORAGE_LIST_VERSIONS, see, &t);
    check_that(c,
               put && code == SR_STORAGE_OK && listed == SR_STORAGE_OK && t.now_len == 1 &&
                   t.old_len == 1 && *t.now && *t.old && strcmp(t.now, t.old) != 0,
               "what was replaced is listed as an old version (code %d, %u old)", (int)code,
               t.old_len);
    check_that(
        c, !(saved.confirmed & SR_STORAGE_CONFIRMED_VERSION) || strcmp(saved.version, t.now) == 0,
        "the version that was confirmed is the one that is listed");
    check_that(c, check_visible(c, key, NULL) == 1, "a plain listing has the current one alone");
    struct sink old = SINK(1, 0), now = SINK(2, 0), none = SINK(0, 0);
    check_that(c,
               call_fetch_version(c, &c->a, key, t.old, &old) == SR_STORAGE_OK && !old.wrong &&
                   old.count == 1000 &&
                   call_fetch_version(c, &c->a, key, t.now, &now) == SR_STORAGE_OK && !now.wrong &&
                   now.count == 2000,
               "each version can be fetched");
    code = call_delete(c, &c->a, key, &d);
    check_that(c,
               code == SR_STORAGE_OK && d.outcome == SR_STORAGE_HIDDEN &&
                   check_visible(c, key, NULL) == 0 &&
                   call_fetch(c, &c->a, key, 0, SR_STORAGE_SIZE_UNKNOWN, &none) ==
                       SR_STORAGE_E_NOT_FOUND,
               "what is deleted is told to be hidden, and is out of sight (code %d, outcome %d)",
               (int)code, (int)d.outcome);
    int32_t first = call_delete_version(c, &c->a, key, t.old, &d);
    int gone = d.outcome == SR_STORAGE_DELETED;
    int32_t second = call_delete_version(c, &c->a, key, t.now, &d);
    gone &= d.outcome == SR_STORAGE_DELETED;
    old = SINK(1, 0);
    check_that(c,
               first == SR_STORAGE_OK && second == SR_STORAGE_OK && gone &&
                   call_fetch_version(c, &c->a, key, t.old, &old) == SR_STORAGE_E_NOT_FOUND,
               "a version that is deleted by name is gone");
}

static void check_locked(struct check *c)
{
    char key[SR_STORAGE_KEY_MAX];
    struct two t = {.key = check_key(c, "locked", key)};
    struct source s = SOURCE(1000, 1);
    struct sr_storage_saved saved;
    struct sr_storage_deletion d = {0};
    s.retain_until = sr_clock_now(&sr_clock_system) + CHECK_LOCK_SECONDS;
    int32_t code = call_save(c, &c->a, key, &s, 1000, 0, &saved);
    if (!check_that(c, code == SR_STORAGE_OK, "an object is saved locked for %d seconds (code %d)",
                    CHECK_LOCK_SECONDS, (int)code))
        return;
    c->locked_until = s.retain_until;
    (void)call_list(c, &c->a, key, "", see, &t);
    check_that(c, t.locked_until == 0 || t.locked_until >= s.retain_until,
               "it is listed as locked as long, or without a date");
    const char *version = *t.now ? t.now : NULL;
    code = call_delete_version(c, &c->a, key, version, &d);
    int kept = code == SR_STORAGE_OK && d.outcome == SR_STORAGE_KEPT &&
               (d.locked_until == 0 || d.locked_until >= s.retain_until);
    check_that(
        c, kept && check_holds(c, key, 1000, 1),
        "deleting it is answered with how long it is kept, and keeps it (code %d, outcome %d)",
        (int)code, (int)d.outcome);
}

static void check_not_locked(struct check *c)
{
    char key[SR_STORAGE_KEY_MAX];
    struct source s = SOURCE(10, 1);
    s.retain_until = INT64_C(4102444800); /* 2100-01-01 */
    int32_t code = call_save(c, &c->a, check_key(c, "retained", key), &s, 10, 0, NULL);
    check_that(c, code == SR_STORAGE_E_UNSUPPORTED && check_visible(c, key, NULL) == 0,
               "retain-until without SR_CAP_LOCK is unsupported (code %d)", (int)code);
}

void check_versions(struct check *c)
{
    if (c->a.caps & SR_CAP_VERSIONS)
        check_kept(c);
    else
        check_skip(c, "old versions are listed, fetched and deleted",
                   "the handle lacks SR_CAP_VERSIONS");
    if (c->a.caps & SR_CAP_LOCK) {
        check_locked(c);
        check_skip(c, "retain-until without the capability", "the handle has SR_CAP_LOCK");
    } else {
        check_skip(c, "an object is locked until a date", "the handle lacks SR_CAP_LOCK");
        check_not_locked(c);
    }
    check_skip(c, "metadata is kept", "the interface has no way to ask for it again");
}
