#include "common/upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS 10  /* for the network, before the source is asked again */
#define IDLE_MS 500 /* for the source, while nothing is on its way */
#define ROUNDS 4    /* that go well before one part more is tried at once */

struct slot {
    struct sc_buffer buf;
    struct sc_call *call; /* the provider's struct, call_size bytes */
    unsigned number;
    int busy;
};

struct sc_upload {
    struct sc_upload_options o;
    struct sc_plan plan;
    unsigned most;  /* parts under way at once; fewer after the store asked for less */
    unsigned well;  /* parts in a row that were not throttled */
    uint64_t held;  /* bytes of all buffers */
    unsigned count; /* sealed parts */
    int eof;        /* the reader has come to its end */
    unsigned slots_len;
    struct slot slots[]; /* concurrency + 1 */
};

/* --- the plan -------------------------------------------------------------------------------- */

static void say_size(char out[24], uint64_t bytes)
{
    if (bytes >> 40)
        (void)snprintf(out, 24, "%.1f TiB", (double)bytes / (double)(UINT64_C(1) << 40));
    else
        (void)snprintf(out, 24, "%.1f GiB", (double)bytes / (double)(UINT64_C(1) << 30));
}

int32_t sc_upload_plan(const struct sr_storage_host *host, const struct sr_storage_object *object,
                       const struct sc_limits *limits, struct sc_plan *ret, struct sc_error *err)
{
    char most[24], size[24];
    int fits = sc_plan_make(limits, object->size_hint, ret) == 0;
    say_size(most, ret->largest);
    if (!fits) {
        say_size(size, object->size_hint);
        return sc_fail(
            err, SR_STORAGE_E_CONFIG,
            "it has about %s, and with part_size, concurrency and max_parts as they are an "
            "object has at most %s; set a larger part_size",
            size, most);
    }
    if (object->size_hint == SR_STORAGE_SIZE_UNKNOWN)
        sc_log(host, SR_STORAGE_LOG_VERBOSE,
               "%s can have up to %s (part_size, concurrency, max_parts)", object->key, most);
    return SR_STORAGE_OK;
}

/* --- buffers --------------------------------------------------------------------------------- */

static void buffer_drop(struct sc_upload *u, struct slot *slot)
{
    u->held -= slot->buf.cap;
    free(slot->buf.data);
    slot->buf = (struct sc_buffer){0};
}

static struct slot *slot_idle(struct sc_upload *u, uint64_t size)
{
    struct slot *other = NULL;
    for (unsigned i = 0; i < u->slots_len; i++) {
        struct slot *slot = &u->slots[i];
        if (slot->busy)
            continue;
        if (slot->buf.cap == size)
            return slot;
        other = slot;
    }
    return other;
}

static unsigned busy(const struct sc_upload *u)
{
    unsigned n = 0;
    for (unsigned i = 0; i < u->slots_len; i++)
        n += u->slots[i].busy != 0;
    return n;
}

static int32_t buffer_make(struct sc_upload *u, struct slot *slot, uint64_t size,
                           struct sc_error *err)
{
    slot->buf = (struct sc_buffer){.data = malloc((size_t)size)};
    if (!slot->buf.data)
        return sc_fail_memory(err);
    slot->buf.cap = (size_t)size;
    u->held += size;
    return SR_STORAGE_OK;
}

/* Room for a part of that size within the memory; NULL: only when something on its way has come
 * back. */
static int32_t slot_take(struct sc_upload *u, uint64_t size, struct slot **ret,
                         struct sc_error *err)
{
    *ret = NULL;
    if (busy(u) >= u->slots_len)
        return SR_STORAGE_OK;
    struct slot *slot = slot_idle(u, size);
    if (slot->buf.cap != size) {
        /* A part has grown: buffers of the old size make room for one of the new. */
        for (unsigned i = 0; i < u->slots_len; i++)
            if (!u->slots[i].busy && u->slots[i].buf.cap != size)
                buffer_drop(u, &u->slots[i]);
        if (u->held + size > u->plan.memory && busy(u) > 0)
            return SR_STORAGE_OK;
        int32_t rc = buffer_make(u, slot, size, err);
        if (rc != SR_STORAGE_OK)
            return rc;
    }
    slot->buf.len = 0;
    *ret = slot;
    return SR_STORAGE_OK;
}

/* --- the source ------------------------------------------------------------------------------ */

/* One pull: at most up to b->cap, waiting at most timeout_ms; *ret_again when nothing came. */
static int32_t pull(struct sc_upload *u, struct sc_buffer *b, int timeout_ms, int *ret_again,
                    struct sc_error *err)
{
    size_t room = b->cap - b->len;
    *ret_again = 0;
    /* A source that has nothing for hours must not outlast the deadline. */
    int32_t rc = sc_wait(u->o.host, 0, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    int64_t n = u->o.reader->read(u->o.reader->ctx, b->data + b->len, room, timeout_ms);
    if (n == SR_STORAGE_READ_AGAIN)
        *ret_again = 1;
    else if (n < 0 || (uint64_t)n > room)
        return sc_fail(err, SR_STORAGE_E_CANCELLED, "the bytes ended early");
    else if (n == 0)
        u->eof = 1;
    else {
        u->o.ops->took(u->o.ctx, b->data + b->len, (size_t)n);
        b->len += (size_t)n;
    }
    return SR_STORAGE_OK;
}

static int32_t seal(struct sc_upload *u, struct slot *slot, struct sc_error *err)
{
    slot->number = ++u->count;
    return u->o.ops->sealed(u->o.ctx, slot->number, err);
}

/* --- parts ----------------------------------------------------------------------------------- */

static void part_end(struct sc_upload *u, struct slot *slot)
{
    u->o.ops->end(slot->call);
    slot->busy = 0;
}

static int32_t part_send(struct sc_upload *u, struct slot *slot, struct sc_error *err)
{
    memset(slot->call, 0, u->o.ops->call_size);
    int32_t rc =
        u->o.ops->part(u->o.ctx, slot->number, slot->buf.data, slot->buf.len, slot->call, err);
    slot->busy = 1; /* from here on the call is ended with the slot */
    if (rc == SR_STORAGE_OK)
        rc = sc_http_add(u->o.http, slot->call, err);
    if (rc != SR_STORAGE_OK)
        part_end(u, slot);
    return rc;
}

/* Down at once, up slowly: what a store could not take for a moment it may take again. */
static void pace(struct sc_upload *u, int throttled)
{
    u->well = throttled ? 0 : u->well + 1;
    if (throttled && u->most > 1) {
        u->most--;
        sc_log(u->o.host, SR_STORAGE_LOG_VERBOSE,
               "the store asks for fewer requests; %u parts at once from now on", u->most);
    } else if (u->most < u->o.concurrency && u->well >= ROUNDS * u->most) {
        u->most++;
        u->well = 0;
        sc_log(u->o.host, SR_STORAGE_LOG_VERBOSE, "%u parts at once again", u->most);
    }
}

static int32_t part_finished(struct sc_upload *u, struct slot *slot, struct sc_error *err)
{
    const struct sc_call *call = slot->call;
    int32_t rc = call->code;
    if (rc != SR_STORAGE_OK && err)
        *err = call->error;
    if (rc == SR_STORAGE_OK)
        rc = u->o.ops->done(u->o.ctx, slot->number, slot->call, err);
    int again = rc == SC_UPLOAD_AGAIN;
    if (rc != SR_STORAGE_OK && !again)
        (void)sc_error_wrap(err, "part %u", slot->number);
    pace(u, call->throttled > 0);
    part_end(u, slot);
    return again ? part_send(u, slot, err) : rc;
}

static struct slot *slot_of(struct sc_upload *u, const struct sc_call *call)
{
    for (unsigned i = 0; i < u->slots_len; i++)
        if (u->slots[i].call == call)
            return &u->slots[i];
    return NULL;
}

/* Moves what is on its way; waits up to timeout_ms for one part to come back. */
static int32_t turn(struct sc_upload *u, int timeout_ms, struct sc_error *err)
{
    struct sc_call *finished = NULL;
    int32_t rc = SR_STORAGE_OK;
    do {
        rc = sc_http_poll(u->o.http, timeout_ms, &finished, err);
        struct slot *slot = rc == SR_STORAGE_OK && finished ? slot_of(u, finished) : NULL;
        if (slot)
            rc = part_finished(u, slot, err);
        timeout_ms = 0;
    } while (rc == SR_STORAGE_OK && finished);
    return rc;
}

/* The source must never wait for the network longer than a buffer takes, nor the network for the
 * source: neither is asked to wait while the other has something to do. */
static int32_t part_fill(struct sc_upload *u, struct slot *slot, struct sc_error *err)
{
    int32_t rc = SR_STORAGE_OK;
    int again = 0;
    while (rc == SR_STORAGE_OK && !u->eof && slot->buf.len < slot->buf.cap) {
        int alone = busy(u) == 0;
        rc = pull(u, &slot->buf, alone ? IDLE_MS : 0, &again, err);
        if (rc == SR_STORAGE_OK && !alone)
            rc = turn(u, again ? WAIT_MS : 0, err);
    }
    return rc;
}

/* The next part's buffer, as soon as there is one. */
static int32_t slot_await(struct sc_upload *u, uint64_t size, struct slot **ret,
                          struct sc_error *err)
{
    int32_t rc = slot_take(u, size, ret, err);
    while (rc == SR_STORAGE_OK && !*ret) {
        rc = turn(u, IDLE_MS, err);
        if (rc == SR_STORAGE_OK)
            rc = slot_take(u, size, ret, err);
    }
    return rc;
}

/* Fills what is left of the slot's buffer and sends it, when its turn has come. */
static int32_t part_complete(struct sc_upload *u, struct slot *slot, struct sc_error *err)
{
    int32_t rc = part_fill(u, slot, err);
    if (rc != SR_STORAGE_OK || slot->buf.len == 0)
        return rc; /* the object ended with the part before */
    rc = seal(u, slot, err);
    while (rc == SR_STORAGE_OK && busy(u) >= u->most)
        rc = turn(u, IDLE_MS, err);
    return rc == SR_STORAGE_OK ? part_send(u, slot, err) : rc;
}

/* --- an upload ------------------------------------------------------------------------------- */

int32_t sc_upload_new(const struct sc_upload_options *options, struct sc_upload **ret,
                      struct sc_error *err)
{
    unsigned n = options->concurrency + 1;
    struct sc_upload *u = calloc(1, sizeof *u + n * sizeof u->slots[0]);
    if (!u)
        return sc_fail_memory(err);
    u->o = *options;
    u->plan = *options->plan;
    u->most = options->concurrency;
    for (; u->slots_len < n; u->slots_len++)
        if (!(u->slots[u->slots_len].call = calloc(1, options->ops->call_size))) {
            sc_upload_free(u);
            return sc_fail_memory(err);
        }
    *ret = u;
    return SR_STORAGE_OK;
}

void sc_upload_free(struct sc_upload *u)
{
    if (!u)
        return;
    sc_upload_stop(u);
    for (unsigned i = 0; i < u->slots_len; i++) {
        free(u->slots[i].buf.data);
        free(u->slots[i].call);
    }
    free(u);
}

int32_t sc_upload_begin(struct sc_upload *u, const struct sc_buffer **ret_single,
                        struct sc_error *err)
{
    struct slot *first = &u->slots[0], *second = &u->slots[1];
    int again = 0;
    *ret_single = NULL;
    int32_t rc = buffer_make(u, first, sc_plan_size(&u->plan, 1), err);
    if (rc == SR_STORAGE_OK)
        rc = part_fill(u, first, err);
    if (rc == SR_STORAGE_OK)
        rc = seal(u, first, err);
    if (rc == SR_STORAGE_OK && !u->eof)
        rc = buffer_make(u, second, sc_plan_size(&u->plan, 2), err);
    while (rc == SR_STORAGE_OK && !u->eof && second->buf.len == 0)
        rc = pull(u, &second->buf, IDLE_MS, &again, err);
    if (rc == SR_STORAGE_OK && second->buf.len == 0)
        *ret_single = &first->buf;
    return rc;
}

int32_t sc_upload_run(struct sc_upload *u, struct sc_error *err)
{
    int32_t rc = part_send(u, &u->slots[0], err);
    if (rc == SR_STORAGE_OK)
        rc = part_complete(u, &u->slots[1], err);
    while (rc == SR_STORAGE_OK && !u->eof) {
        struct slot *slot = NULL;
        uint64_t size = sc_plan_size(&u->plan, u->count + 1);
        if (size == 0)
            return sc_fail(
                err, SR_STORAGE_E_NO_SPACE,
                "it is larger than the %llu bytes that an object can have with part_size, "
                "concurrency and max_parts as they are; set a larger part_size",
                (unsigned long long)u->plan.largest);
        rc = slot_await(u, size, &slot, err);
        if (rc == SR_STORAGE_OK)
            rc = part_complete(u, slot, err);
    }
    while (rc == SR_STORAGE_OK && busy(u) > 0)
        rc = turn(u, IDLE_MS, err);
    return rc;
}

void sc_upload_stop(struct sc_upload *u)
{
    for (unsigned i = 0; i < u->slots_len; i++) {
        struct slot *slot = &u->slots[i];
        if (!slot->busy)
            continue;
        sc_http_remove(u->o.http, slot->call);
        part_end(u, slot);
    }
}

unsigned sc_upload_count(const struct sc_upload *u)
{
    return u->count;
}
