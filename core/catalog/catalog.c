#include "config.h"
#include "core/catalog/catalog.h"
#include "core/catalog/catalog_builder.h"
#include "core/util/buf.h"

#include <stdlib.h>
#include <string.h>

struct reading {
    struct sr_catalog_builder *b;
    int (*each)(void *ctx, const struct sr_store_entry *e, struct sr_error *err);
    void *ctx;
    struct sr_error *err;
    int rc;
};

static int read_entry(void *ctx, const struct sr_store_entry *e)
{
    struct reading *r = ctx;
    r->rc = r->each ? r->each(r->ctx, e, r->err) : SR_OK;
    if (r->rc == SR_OK)
        r->rc = sr_catalog_builder_add(r->b, e, r->err);
    return r->rc != SR_OK;
}

int sr_catalog_read(struct sr_store *s, struct sr_catalog **ret, struct sr_error *err)
{
    return sr_catalog_read_with(s, NULL, NULL, ret, err);
}

int sr_catalog_read_with(struct sr_store *s,
                         int (*each)(void *ctx, const struct sr_store_entry *e,
                                     struct sr_error *err),
                         void *ctx, struct sr_catalog **ret, struct sr_error *err)
{
    struct reading r = {.each = each, .ctx = ctx, .err = err};
    int rc = sr_catalog_builder_new(&r.b, err);
    if (rc != SR_OK)
        return rc;
    rc = sr_store_list(s, "", NULL, read_entry, &r, err);
    if (rc == SR_OK)
        rc = r.rc;
    if (rc != SR_OK) {
        sr_catalog_builder_free(r.b);
        return sr_error_wrap(err, "listing store %s", sr_store_name(s));
    }
    return sr_catalog_builder_finish(r.b, ret, err);
}

static int is_other(const struct sr_catalog *c, size_t at, size_t i)
{
    return i != at && c->sets[i].has_manifest && strcmp(c->sets[i].set, c->sets[at].set) == 0;
}

int sr_catalog_is_last(const struct sr_catalog *c, size_t at)
{
    char label[SR_SET_MAX];
    int64_t time;
    sr_set_split(c->sets[at].set, label, &time);
    size_t from = at, to = at + 1;
    /* Sets of one name that has the time in it have that time, and lie together. */
    while (time > 0 && from > 0 && c->sets[from - 1].time == time)
        from--;
    while (time > 0 && to < c->len && c->sets[to].time == time)
        to++;
    if (time <= 0) {
        from = 0;
        to = c->len;
    }
    for (size_t i = from; i < to; i++)
        if (is_other(c, at, i))
            return 0;
    return 1;
}

int sr_catalog_manifest_check(const struct sr_catalog_set *set, const void *text, size_t len,
                              struct sr_manifest **ret, struct sr_error *err)
{
    struct sr_manifest *m = NULL;
    int rc = sr_manifest_read(text, len, &m, err);
    if (rc == SR_OK && (strcmp(m->set, set->set) != 0 || strcmp(m->source, set->source) != 0))
        rc = sr_fail(err, SR_E_CORRUPT, "it is the manifest of %s of %s", m->set, m->source);
    if (rc != SR_OK) {
        sr_manifest_free(m);
        return sr_error_wrap(err, "the manifest of %s of %s", set->set, set->source);
    }
    *ret = m;
    return SR_OK;
}

int sr_catalog_manifest(struct sr_store *s, const struct sr_catalog_set *set,
                        struct sr_manifest **ret, struct sr_error *err)
{
    struct sr_buf text;
    sr_buf_init(&text, SR_MANIFEST_MAX);
    int rc = sr_catalog_manifest_text(s, set, &text, ret, err);
    sr_buf_done(&text);
    return rc;
}

int sr_catalog_manifest_text(struct sr_store *s, const struct sr_catalog_set *set,
                             struct sr_buf *text, struct sr_manifest **ret, struct sr_error *err)
{
    char key[SR_KEY_COMPONENT_MAX + 1];
    int rc = sr_beside_key(set->set, set->source, "manifest.json", key, sizeof key, err);
    if (rc == SR_OK && (rc = sr_store_fetch_small(s, key, text, err)) != SR_OK)
        (void)sr_error_wrap(err, "fetching %s", key);
    if (rc == SR_OK)
        rc = sr_catalog_manifest_check(set, sr_buf_str(text), text->len, ret, err);
    return rc == SR_OK ? SR_OK : sr_error_wrap(err, "store %s", sr_store_name(s));
}
