#include "config.h"
#include "core/engine/prover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* By the time in the name, the latest first; names of no known rung last. */
static int latest_first(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    struct sr_proof_name n, m;
    int known_x = sr_proof_name_read(x, &n) == SR_OK, known_y = sr_proof_name_read(y, &m) == SR_OK;
    if (known_x != known_y)
        return known_x ? -1 : 1;
    if (known_x && n.time != m.time)
        return n.time > m.time ? -1 : 1;
    return strcmp(x, y);
}

static int proof_fetch(struct sr_store *store, const struct sr_proof_where *w, struct sr_proof *ret,
                       struct sr_error *err)
{
    char key[SR_KEY_MAX];
    struct sr_buf text;
    sr_buf_init(&text, SR_PROOF_MAX);
    int rc = sr_beside_key(w->set, w->source, w->suffix, key, sizeof key, err);
    if (rc == SR_OK)
        rc = sr_store_fetch_small(store, key, &text, err);
    if (rc == SR_OK)
        rc = sr_proof_read(text.data, text.len, w, ret, err);
    sr_buf_done(&text);
    return rc;
}

int sr_proofs_read(struct sr_context *ctx, struct sr_store *store, const struct sr_catalog_set *set,
                   const struct sr_manifest *m, struct sr_proofs *ret, struct sr_error *err)
{
    struct sr_proofs p = {0};
    struct sr_strlist names = {0}, good = {0};
    int rc = sr_strlist_copy(&names, &set->proofs);
    if (names.len > 1)
        qsort(names.items, names.len, sizeof *names.items, latest_first);
    size_t some = names.len < SR_PROOFS_READ_MAX ? names.len : SR_PROOFS_READ_MAX;
    p.left = names.len - some;
    if (rc == SR_OK && !(p.items = calloc(some + 1, sizeof *p.items)))
        rc = SR_E_NO_MEMORY;
    if (rc != SR_OK)
        rc = sr_fail(err, rc, "out of memory");
    for (size_t i = 0; rc == SR_OK && i < some; i++) {
        struct sr_error e = SR_ERROR_INIT;
        struct sr_proof_seen *s = &p.items[p.len++];
        const struct sr_proof_where w = {set->set, set->source, names.items[i], m->digest};
        (void)snprintf(s->suffix, sizeof s->suffix, "%s", names.items[i]);
        int one = proof_fetch(store, &w, &s->proof, &e);
        if (one != SR_OK)
            rc = sr_context_check(ctx, err);
        if (rc == SR_OK && one != SR_OK && !(s->bad = strdup(e.text)))
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
        if (rc == SR_OK && one == SR_OK && sr_strlist_add(&good, s->suffix) != SR_OK)
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    if (rc == SR_OK)
        sr_standing_of(&good, sr_clock_now(ctx->clock), &p.standing);
    sr_strlist_done(&names);
    sr_strlist_done(&good);
    if (rc != SR_OK) {
        sr_proofs_done(&p);
        return rc;
    }
    *ret = p;
    return SR_OK;
}

void sr_proofs_done(struct sr_proofs *p)
{
    for (size_t i = 0; i < p->len; i++) {
        free(p->items[i].bad);
        sr_proof_done(&p->items[i].proof);
    }
    free(p->items);
    *p = (struct sr_proofs){0};
}
