#include "config.h"
#include "core/pipeline/flow.h"

#include "core/pipeline/step_private.h"

#include <string.h>

static int observe(const struct sr_observers *o, const void *data, size_t len, struct sr_error *err)
{
    for (struct sr_step *s = o->first; s != o->end; s = s->next) {
        int rc = s->ops->observe(s, data, len, err);
        if (rc != SR_OK)
            return rc;
    }
    return SR_OK;
}

static int observers_finish(const struct sr_observers *o, struct sr_error *err)
{
    for (struct sr_step *s = o->first; s != o->end; s = s->next) {
        int rc = s->ops->finish ? s->ops->finish(s, err) : SR_OK;
        if (rc != SR_OK)
            return rc;
    }
    return SR_OK;
}

static int cancelled(struct sr_error *err)
{
    return sr_fail(err, SR_E_CANCELLED, "cancelled");
}

/* The next chunk into f->taken, NULL at the end. */
static int next_chunk(struct sr_flow *f, struct sr_error *err)
{
    sr_chunk_unref(f->taken);
    f->taken = NULL;
    if (f->in_ended)
        return SR_OK;
    if (sr_queue_pop(f->in, 0, -1, &f->taken) != SR_OK)
        return cancelled(err);
    if (f->taken)
        return observe(&f->before, f->taken->data, f->taken->len, err);
    f->in_ended = 1;
    return observers_finish(&f->before, err);
}

int sr_flow_take(struct sr_flow *f, const unsigned char **ret_data, size_t *ret_len,
                 struct sr_error *err)
{
    if (f->peeked_len > 0) {
        *ret_data = f->peeked;
        *ret_len = f->peeked_len;
        f->peeked_len = 0;
        return SR_OK;
    }
    if (!f->again) {
        int rc = next_chunk(f, err);
        if (rc != SR_OK)
            return rc;
    }
    f->again = 0;
    *ret_data = f->taken ? f->taken->data : NULL;
    *ret_len = f->taken ? f->taken->len : 0;
    return SR_OK;
}

int sr_flow_peek(struct sr_flow *f, size_t want, unsigned char *ret_bytes, size_t *ret_len,
                 struct sr_error *err)
{
    int rc = next_chunk(f, err);
    if (rc != SR_OK)
        return rc;
    if (f->taken && f->taken->len >= want) {
        f->again = 1;
        memcpy(ret_bytes, f->taken->data, want);
        *ret_len = want;
        return SR_OK;
    }
    /* Chunks smaller than what was asked for: gather whole ones while they fit. */
    size_t have = 0;
    while (f->taken && have < want) {
        if (f->taken->len > sizeof f->peeked - f->peeked_len) {
            size_t part = want - have;
            memcpy(ret_bytes + have, f->taken->data, part);
            have += part;
            f->again = 1;
            break;
        }
        size_t part = f->taken->len < want - have ? f->taken->len : want - have;
        memcpy(ret_bytes + have, f->taken->data, part);
        have += part;
        memcpy(f->peeked + f->peeked_len, f->taken->data, f->taken->len);
        f->peeked_len += f->taken->len;
        if (have < want) {
            rc = next_chunk(f, err);
            if (rc != SR_OK)
                return rc;
        }
    }
    *ret_len = have;
    return SR_OK;
}

/* Observes and hands on the chunk, which is given away. */
static int send(struct sr_flow *f, struct sr_chunk *c, struct sr_error *err)
{
    int rc = observe(&f->after, c->data, c->len, err);
    if (rc != SR_OK) {
        sr_chunk_unref(c);
        return rc;
    }
    return sr_queue_push(f->out, c) == SR_OK ? SR_OK : cancelled(err);
}

static int send_filled(struct sr_flow *f, struct sr_error *err)
{
    struct sr_chunk *c = f->filled;
    f->filled = NULL;
    if (c && c->len == 0) {
        sr_chunk_unref(c);
        c = NULL;
    }
    return c ? send(f, c, err) : SR_OK;
}

int sr_flow_pass(struct sr_flow *f, struct sr_error *err)
{
    for (;;) {
        const unsigned char *data = NULL;
        size_t len = 0;
        int rc = sr_flow_take(f, &data, &len, err);
        if (rc != SR_OK || len == 0)
            return rc;
        if (data == f->peeked) {
            rc = sr_flow_write(f, data, len, err);
        } else {
            rc = send_filled(f, err);
            struct sr_chunk *c = f->taken;
            f->taken = NULL;
            if (rc == SR_OK)
                rc = send(f, c, err);
            else
                sr_chunk_unref(c);
        }
        if (rc != SR_OK)
            return rc;
    }
}

int sr_flow_room(struct sr_flow *f, unsigned char **ret_out, size_t *ret_cap, struct sr_error *err)
{
    if (!f->filled) {
        f->filled = sr_chunk_get(f->pool);
        if (!f->filled)
            return sr_fail(err, SR_E_INTERNAL, "the pipeline's pool is smaller than its queues");
    }
    *ret_out = f->filled->data + f->filled->len;
    *ret_cap = f->filled->cap - f->filled->len;
    return SR_OK;
}

int sr_flow_put(struct sr_flow *f, size_t n, struct sr_error *err)
{
    f->filled->len += n;
    return f->filled->len == f->filled->cap ? send_filled(f, err) : SR_OK;
}

int sr_flow_write(struct sr_flow *f, const void *data, size_t len, struct sr_error *err)
{
    const unsigned char *p = data;
    while (len > 0) {
        unsigned char *out = NULL;
        size_t cap = 0;
        int rc = sr_flow_room(f, &out, &cap, err);
        if (rc != SR_OK)
            return rc;
        size_t n = len < cap ? len : cap;
        memcpy(out, p, n);
        rc = sr_flow_put(f, n, err);
        if (rc != SR_OK)
            return rc;
        p += n;
        len -= n;
    }
    return SR_OK;
}

int sr_flow_end(struct sr_flow *f, struct sr_error *err)
{
    int rc = send_filled(f, err);
    if (rc == SR_OK)
        rc = observers_finish(&f->after, err);
    if (rc == SR_OK)
        sr_queue_end(f->out);
    return rc;
}

void sr_flow_done(struct sr_flow *f)
{
    sr_chunk_unref(f->taken);
    sr_chunk_unref(f->filled);
    f->taken = NULL;
    f->filled = NULL;
}
