/* Bytes to hand over and the calls that do it. */
#include "config.h"
#include "core/check/check.h"
#include "core/check/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- pattern --- */

static uint64_t word(uint64_t seed, uint64_t i)
{
    uint64_t z = seed * UINT64_C(0x9E3779B97F4A7C15) + i * UINT64_C(0xD1B54A32D192ED03);
    z = (z ^ (z >> 29)) * UINT64_C(0xBF58476D1CE4E5B9);
    return z ^ (z >> 32);
}

static void pattern(uint64_t seed, uint64_t at, unsigned char *out, size_t len)
{
    while (len > 0) {
        uint64_t w = word(seed, at / 8);
        size_t skip = (size_t)(at % 8), n = 8 - skip < len ? 8 - skip : len;
        unsigned char bytes[8];
        memcpy(bytes, &w, 8);
        memcpy(out, bytes + skip, n);
        out += n;
        at += n;
        len -= n;
    }
}

/* --- every call --- */

void check_enter(struct check *c, struct check_handle *h, const char *what)
{
    h->outer = check_was_doing(c);
    h->what = what;
    check_doing(c, what);
    sr_host_enter(h->host);
}

static int code_known(int32_t code)
{
    return code >= 0 && code <= SR_STORAGE_E_INTERNAL && code % 10 == 0;
}

int32_t check_leave(struct check *c, struct check_handle *h, int32_t code)
{
    const char *text = "";
    int32_t said = sr_host_said(h->host, &text);
    sr_host_leave(h->host);
    for (size_t i = 0; i < CHECK_GATES; i++)
        if (c->gates[i].h == h)
            atomic_store(&c->gates[i].live, 0);
    int unsaid = code != SR_STORAGE_OK && (said != code || !*text);
    int unknown = !code_known(code), secret = *text && check_is_secret(c, text);
    c->always.unsaid += unsaid != 0;
    c->always.unknown += unknown != 0;
    c->always.secrets += secret != 0;
    if ((unsaid || unknown || secret) && !*c->always.first)
        (void)snprintf(c->always.first, sizeof c->always.first,
                       "the first: %s returned %d and had set %d%s%.100s", h->what, (int)code,
                       (int)said, *text && !secret ? ": " : "", secret ? "" : text);
    check_doing(c, h->outer);
    return code;
}

void *check_gate(struct check *c, struct check_handle *h, void *real)
{
    struct check_gate *g = &c->gates[atomic_fetch_add(&c->next_gate, 1) % CHECK_GATES];
    g->c = c;
    g->h = h;
    g->real = real;
    g->thread = pthread_self();
    atomic_store(&g->live, 1);
    return g;
}

void *check_through(void *ctx)
{
    struct check_gate *g = ctx;
    const char *text;
    if (!atomic_load(&g->live)) {
        atomic_fetch_add(&g->c->always.late, 1);
        return NULL;
    }
    check_beat(g->c);
    if (!pthread_equal(g->thread, pthread_self()))
        atomic_fetch_add(&g->c->always.foreign, 1);
    if (sr_host_said(g->h->host, &text) != 0)
        atomic_fetch_add(&g->c->always.after_error, 1);
    return g->real;
}

/* --- source --- */

/* As long as a reader without bytes would: it must not look busy when it has nothing. */
static int64_t nothing_yet(int32_t timeout_ms)
{
    const struct timespec wait = {0, 5000000};
    if (timeout_ms != 0)
        (void)nanosleep(&wait, NULL);
    return SR_STORAGE_READ_AGAIN;
}

static int64_t source_read(void *ctx, void *buf, uint64_t cap, int32_t timeout_ms)
{
    struct source *s = check_through(ctx);
    if (!s)
        return SR_STORAGE_READ_FAILED;
    s->reads++;
    s->empty_asked |= cap == 0 || !buf;
    if (s->at >= s->hook_at && s->hook && s->hook(s) != 0)
        return nothing_yet(timeout_ms);
    if (s->at >= s->fail_at)
        return SR_STORAGE_READ_FAILED;
    if (s->again_every && s->reads % (unsigned)s->again_every == 0)
        return SR_STORAGE_READ_AGAIN;
    uint64_t n = s->size - s->at;
    if (s->chunk && n > s->chunk)
        n = s->chunk;
    /* Stop exactly where something is to happen. */
    if (s->at < s->fail_at && n > s->fail_at - s->at)
        n = s->fail_at - s->at;
    if (s->at < s->hook_at && n > s->hook_at - s->at)
        n = s->hook_at - s->at;
    if (n > cap)
        n = cap;
    if (n == 0)
        s->ended = 1;
    pattern(s->seed, s->at, buf, (size_t)n);
    s->at += n;
    return (int64_t)n;
}

static int32_t source_late_key(void *ctx, char *buf, uint64_t cap)
{
    struct source *s = check_through(ctx);
    if (!s)
        return SR_STORAGE_E_INTERNAL;
    s->late_asked++;
    s->late_early |= !s->ended;
    if (!s->late_key || strlen(s->late_key) >= cap)
        return SR_STORAGE_E_INTERNAL;
    memcpy(buf, s->late_key, strlen(s->late_key) + 1);
    return SR_STORAGE_OK;
}

int32_t call_save(struct check *c, struct check_handle *h, const char *key, struct source *s,
                  uint64_t hint, uint64_t flags, struct sr_storage_saved *ret)
{
    static const char *const metadata[] = {"origin", "plugin-check", NULL};
    struct sr_storage_saved saved;
    if (!ret)
        ret = &saved;
    *ret = (struct sr_storage_saved){.size = sizeof *ret};
    const struct sr_storage_object object = {
        .size = sizeof object, .key = key, .size_hint = hint, .metadata = metadata};
    const struct sr_storage_reader reader = {.size = sizeof reader,
                                             .read = source_read,
                                             .late_key = source_late_key,
                                             .ctx = check_gate(c, h, s)};
    const struct sr_storage_save_options options = {
        .size = sizeof options, .flags = flags, .retain_until = s->retain_until};
    check_enter(c, h, "save");
    return check_leave(c, h, c->t->save(h->handle, &object, &reader, &options, ret));
}

/* --- sink --- */

static int32_t sink_write(void *ctx, const void *data, uint64_t len)
{
    struct sink *s = check_through(ctx);
    if (!s)
        return 1;
    s->empty += len == 0;
    if (s->stopped) {
        s->after_stop = 1;
        return 1;
    }
    unsigned char wanted[4096];
    const unsigned char *got = data;
    for (uint64_t done = 0; done < len && !s->wrong;) {
        size_t n = len - done < sizeof wanted ? (size_t)(len - done) : sizeof wanted;
        pattern(s->seed, s->at + done, wanted, n);
        s->wrong = memcmp(wanted, got + done, n) != 0;
        done += n;
    }
    s->at += len;
    s->count += len;
    if (s->hook && s->count >= s->hook_at) {
        s->hook_at = UINT64_MAX;
        s->hook(s);
    }
    s->stopped = s->count >= s->stop_at;
    return s->stopped;
}

int32_t call_fetch_version(struct check *c, struct check_handle *h, const char *key,
                           const char *version, struct sink *s)
{
    const struct sr_storage_fetch_options o = {
        .size = sizeof o, .key = key, .version = version, .length = SR_STORAGE_SIZE_UNKNOWN};
    const struct sr_storage_writer w = {
        .size = sizeof w, .ctx = check_gate(c, h, s), .write = sink_write};
    check_enter(c, h, "fetch");
    return check_leave(c, h, c->t->fetch(h->handle, &o, &w));
}

int32_t call_fetch(struct check *c, struct check_handle *h, const char *key, uint64_t offset,
                   uint64_t length, struct sink *s)
{
    const struct sr_storage_fetch_options o = {
        .size = sizeof o, .key = key, .offset = offset, .length = length};
    const struct sr_storage_writer w = {
        .size = sizeof w, .ctx = check_gate(c, h, s), .write = sink_write};
    check_enter(c, h, "fetch");
    return check_leave(c, h, c->t->fetch(h->handle, &o, &w));
}

/* --- entries --- */

struct seeing {
    seen_fn seen;
    void *ctx;
};

static int32_t emit(void *ctx, const struct sr_storage_entry *from)
{
    const struct seeing *s = check_through(ctx);
    struct sr_storage_entry e = {0};
    if (!s)
        return 1;
    if (from->size < offsetof(struct sr_storage_entry, modified) || !from->key) {
        atomic_fetch_add(&((struct check_gate *)ctx)->c->always.shapeless, 1);
        return 0;
    }
    memcpy(&e, from, from->size < sizeof e ? (size_t)from->size : sizeof e);
    return s->seen(s->ctx, &e);
}

int32_t call_list_flags(struct check *c, struct check_handle *h, const char *prefix,
                        const char *after, uint64_t flags, seen_fn seen, void *ctx)
{
    struct seeing s = {seen, ctx};
    const struct sr_storage_list_options o = {
        .size = sizeof o, .prefix = prefix, .start_after = after, .flags = flags};
    const struct sr_storage_emitter e = {
        .size = sizeof e, .ctx = check_gate(c, h, &s), .emit = emit};
    check_enter(c, h, "list");
    return check_leave(c, h, c->t->list(h->handle, &o, &e));
}

int32_t call_list(struct check *c, struct check_handle *h, const char *prefix, const char *after,
                  seen_fn seen, void *ctx)
{
    return call_list_flags(c, h, prefix, after, 0, seen, ctx);
}

int32_t call_stat(struct check *c, struct check_handle *h, const char *key, seen_fn seen, void *ctx)
{
    struct seeing s = {seen, ctx};
    const struct sr_storage_fetch_options o = {.size = sizeof o, .key = key};
    const struct sr_storage_emitter e = {
        .size = sizeof e, .ctx = check_gate(c, h, &s), .emit = emit};
    check_enter(c, h, "stat");
    return check_leave(c, h, c->t->stat(h->handle, &o, &e));
}

int32_t call_delete_version(struct check *c, struct check_handle *h, const char *key,
                            const char *version, struct sr_storage_deletion *ret)
{
    const struct sr_storage_delete_options o = {.size = sizeof o, .key = key, .version = version};
    *ret = (struct sr_storage_deletion){.size = sizeof *ret};
    check_enter(c, h, "delete_object");
    return check_leave(c, h, c->t->delete_object(h->handle, &o, ret));
}

int32_t call_delete(struct check *c, struct check_handle *h, const char *key,
                    struct sr_storage_deletion *ret)
{
    return call_delete_version(c, h, key, NULL, ret);
}

static int count_one(void *ctx, const struct sr_storage_entry *e)
{
    (void)e;
    ++*(unsigned *)ctx;
    return 0;
}

int32_t call_sweep(struct check *c, struct check_handle *h, uint64_t older_than, int dry_run,
                   unsigned *ret_count)
{
    struct seeing s = {count_one, ret_count};
    const struct sr_storage_sweep_options o = {
        .size = sizeof o,
        .prefix = c->base,
        .older_than = older_than,
        .flags = dry_run ? SR_STORAGE_SWEEP_DRY_RUN : 0,
    };
    const struct sr_storage_emitter e = {
        .size = sizeof e, .ctx = check_gate(c, h, &s), .emit = emit};
    *ret_count = 0;
    check_enter(c, h, "sweep");
    return check_leave(c, h, c->t->sweep(h->handle, &o, &e));
}

/* --- questions --- */

const char *check_key(struct check *c, const char *name, char *out)
{
    (void)snprintf(out, SR_STORAGE_KEY_MAX, "%s%s-%u", c->base, name, ++c->next);
    return out;
}

struct looking {
    const char *key;
    int seen;
    uint64_t size;
};

static int look(void *ctx, const struct sr_storage_entry *e)
{
    struct looking *l = ctx;
    if (strcmp(e->key, l->key) == 0 && !(e->flags & SR_STORAGE_ENTRY_OLD)) {
        l->seen++;
        l->size = e->object_size;
    }
    return 0;
}

int check_visible(struct check *c, const char *key, uint64_t *ret_size)
{
    struct looking l = {.key = key};
    struct check_handle *h = c->b.handle ? &c->b : &c->a;
    if (call_list(c, h, key, "", look, &l) != SR_STORAGE_OK)
        return -1;
    if (ret_size)
        *ret_size = l.size;
    return l.seen;
}

int check_put(struct check *c, const char *key, uint64_t size, uint64_t seed)
{
    struct source s = SOURCE(size, seed);
    int32_t code = call_save(c, &c->a, key, &s, size, 0, NULL);
    const char *said = "";
    if (code != SR_STORAGE_OK) {
        (void)sr_host_said(c->a.host, &said);
        check_note(c, "saving %" PRIu64 " bytes under %s: code %d, %s", size, key, (int)code, said);
    }
    return code == SR_STORAGE_OK;
}

int check_holds(struct check *c, const char *key, uint64_t size, uint64_t seed)
{
    struct sink s = SINK(seed, 0);
    int32_t code = call_fetch(c, &c->a, key, 0, SR_STORAGE_SIZE_UNKNOWN, &s);
    const char *said = "";
    if (code == SR_STORAGE_OK && s.count == size && !s.wrong)
        return 1;
    (void)sr_host_said(c->a.host, &said);
    check_note(c, "fetching %s: code %d, %" PRIu64 " of %" PRIu64 " bytes%s %s", key, (int)code,
               s.count, size, s.wrong ? ", not the ones that were saved" : "", said);
    return 0;
}
