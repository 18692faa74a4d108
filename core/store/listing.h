/* Entries on their way from a plugin to an sr_store_emit_fn: filtered, put in order, and watched
 * for promises that are broken. */
#ifndef SR_STORE_LISTING_H
#define SR_STORE_LISTING_H

#include "core/store/store_private.h"

/* What the names of one listing may come to, with what is held beside each: some two million
 * objects of usual names. Whoever answers with ever more of them does not use up this machine's
 * memory. */
#define SR_LISTING_MAX ((uint64_t)256 << 20)

struct sr_gathered;

struct sr_listing {
    struct sr_store *s;
    const char *prefix;      /* full */
    const char *start_after; /* full, or "" */
    const char *only;        /* full key of a stat; NULL: any */
    int any_name;            /* a sweep: names that are no keys pass as well */
    int must_sort;           /* gather first, hand on at the end */
    sr_store_emit_fn emit;
    void *ctx;

    int stopped;
    int code; /* SR_OK, or what err holds */
    struct sr_error err;
    uint64_t passed; /* handed on, or gathered */
    uint64_t bytes;  /* of these, as SR_LISTING_MAX counts */
    struct sr_gathered *gathered;
    size_t len, cap;
    char last[SR_KEY_MAX]; /* full key of the entry before */
};

/* The emitter's function; its ctx is the host, whose call is the listing. */
int32_t sr_listing_emit(void *host, const struct sr_storage_entry *entry);
/* After the plugin's OK: hands on what was gathered. */
int sr_listing_flush(struct sr_listing *l, struct sr_error *err);
void sr_listing_done(struct sr_listing *l);

#endif
