/* What a backup and a restore need of a store, tried. */
#include "config.h"
#include "core/store/store_private.h"
#include "core/util/buf.h"
#include "core/util/text.h"

#include <stdio.h>
#include <string.h>

static const char content[] = "strongroom tries whether it may write, list, read and delete here\n";

struct seen {
    int found;
    int64_t modified;
};

static int saw(void *ctx, const struct sr_store_entry *e)
{
    *(struct seen *)ctx = (struct seen){1, e->modified};
    return 1;
}

static int try_list(struct sr_store *s, const char *key, int expected, int64_t *ret_modified,
                    struct sr_error *err)
{
    struct seen seen = {0};
    int rc = sr_store_list(s, key, NULL, saw, &seen, err);
    *ret_modified = seen.modified;
    if (rc == SR_OK && expected && !seen.found)
        return sr_fail(err, SR_E_INTERNAL, "store %s: %s was saved but is not listed", s->name,
                       key);
    return rc;
}

static int try_read(struct sr_store *s, const char *key, struct sr_error *err)
{
    struct sr_buf b;
    sr_buf_init(&b, 4096);
    int rc = sr_store_fetch_small(s, key, &b, err);
    if (rc == SR_OK && (b.len != sizeof content - 1 || memcmp(b.data, content, b.len) != 0))
        rc = sr_fail(err, SR_E_CORRUPT, "store %s: %s came back as something else", s->name, key);
    sr_buf_done(&b);
    return rc;
}

static int try_all(struct sr_store_rw *rw, struct sr_store_rights *r, struct sr_error *err)
{
    unsigned char random[8];
    char hex[2 * sizeof random + 1], key[64];
    struct sr_error ignored, *first = err ? err : &ignored, later;
    if (sr_random(random, sizeof random) != 0)
        return sr_fail(first, SR_E_INTERNAL, "no random bytes for the name of an object");
    sr_hex(random, sizeof random, hex);
    (void)snprintf(key, sizeof key, "strongroom-check-%s", hex);

    int rc = r->write = sr_store_save_small(rw, key, content, sizeof content - 1, first);
    r->list = try_list(&rw->s, key, rc == SR_OK, &r->modified, rc == SR_OK ? first : &later);
    if (rc == SR_OK)
        rc = r->list;
    if (r->write != SR_OK)
        return rc;
    r->read = try_read(&rw->s, key, rc == SR_OK ? first : &later);
    if (rc == SR_OK)
        rc = r->read;
    r->del = sr_store_delete(rw, key, NULL, NULL, rc == SR_OK ? first : &later);
    return rc == SR_OK ? r->del : rc;
}

static int ask_plugin(struct sr_store *s, struct sr_store_rights *r, struct sr_error *err)
{
    struct sr_storage_rights got = {sizeof got, -1, -1, -1, -1};
    int rc = sr_store_begin(s, "checking", NULL, err);
    if (rc != SR_OK)
        return rc;
    int32_t code = s->table->check(s->handle, &got);
    *r = (struct sr_store_rights){got.may_write, got.may_list, got.may_read, got.may_delete, 0};
    const int all[] = {r->write, r->list, r->read, r->del};
    for (size_t i = 0; code == SR_STORAGE_OK && i < 4; i++)
        if (all[i] > 0)
            code = all[i];
    rc = sr_host_error(s->host, code, "checking what is allowed", err);
    sr_store_end(s);
    return rc;
}

int sr_store_check(struct sr_store_rw *rw, struct sr_store_rights *ret, struct sr_error *err)
{
    *ret = (struct sr_store_rights){-1, -1, -1, -1, 0};
    return rw->s.table->check ? ask_plugin(&rw->s, ret, err) : try_all(rw, ret, err);
}
