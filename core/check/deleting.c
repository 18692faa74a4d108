/* Deleting. */
#include "config.h"
#include "core/check/check.h"

#include <stdio.h>
#include <string.h>

static int deleted(const struct check *c, int32_t code, const struct sr_storage_deletion *d)
{
    return code == SR_STORAGE_OK &&
           (d->outcome == SR_STORAGE_DELETED ||
            (d->outcome == SR_STORAGE_HIDDEN && (c->a.caps & SR_CAP_VERSIONS)));
}

static void check_delete(struct check *c)
{
    char key[SR_STORAGE_KEY_MAX], other[SR_STORAGE_KEY_MAX];
    struct sr_storage_deletion d;
    struct sink s = SINK(0, 0);
    (void)check_put(c, check_key(c, "deleted", key), 10, 1);
    (void)snprintf(other, sizeof other, "%.900s-longer", key);
    (void)check_put(c, other, 20, 2);
    int32_t code = call_delete(c, &c->a, key, &d);
    check_that(c, deleted(c, code, &d), "an object is deleted (code %d, outcome %d)", (int)code,
               (int)d.outcome);
    check_that(c, check_visible(c, key, NULL) == 0, "and is listed no more");
    check_that(c,
               call_fetch(c, &c->a, key, 0, SR_STORAGE_SIZE_UNKNOWN, &s) == SR_STORAGE_E_NOT_FOUND,
               "and cannot be fetched");
    check_that(c, check_holds(c, other, 20, 2), "one whose key begins alike stays");
    code = call_delete(c, &c->a, key, &d);
    check_that(c, deleted(c, code, &d), "deleting it again is fine (code %d)", (int)code);
    code = call_delete(c, &c->a, check_key(c, "never", key), &d);
    check_that(c, deleted(c, code, &d), "as is deleting what never was (code %d)", (int)code);
    code = call_delete(c, &c->a, check_key(c, "never/in/there", key), &d);
    check_that(c, deleted(c, code, &d), "also where not even a folder is (code %d)", (int)code);
    (void)check_put(c, check_key(c, "again", key), 10, 1);
    code = call_delete(c, &c->a, key, &d);
    check_that(c, deleted(c, code, &d) && check_put(c, key, 30, 3) && check_holds(c, key, 30, 3),
               "a key that was deleted can be saved again");
}

void check_deleting(struct check *c)
{
    check_delete(c);
}
