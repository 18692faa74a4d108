/* BACKUP, as people type it, looked up in a catalogue. */
#include "config.h"
#include "core/catalog/catalog.h"
#include "core/util/buf.h"
#include "core/util/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CANDIDATES_TOLD 5

struct query {
    const struct sr_catalog *c;
    const char *backup;
    const char *source, *label; /* as typed; NULL: any */
    char source_escaped[SR_SOURCE_MAX];
    char label_escaped[SR_LABEL_MAX + 1];
};

/* What was found so far: several sets are an ambiguity. */
struct hits {
    const struct sr_catalog_set *first;
    size_t len;
    char told[CANDIDATES_TOLD * (SR_SET_MAX + SR_SOURCE_MAX + 8)];
};

static int has_prefix(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Whether the set is a backup at all, and within what narrows the search. */
static int is_wanted(const struct query *q, const struct sr_catalog_set *s)
{
    if (!s->has_manifest)
        return 0;
    if (q->source && strcmp(s->source, q->source) != 0 && strcmp(s->source, q->source_escaped) != 0)
        return 0;
    return !q->label || has_prefix(s->label, q->label) ||
           (*q->label_escaped && has_prefix(s->label, q->label_escaped));
}

static void hit(struct hits *h, const struct sr_catalog_set *s)
{
    if (!h->first)
        h->first = s;
    if (h->len++ < CANDIDATES_TOLD) {
        size_t n = strlen(h->told);
        (void)snprintf(h->told + n, sizeof h->told - n, "%s%s of %s", n ? ", " : "", s->set,
                       s->source);
    }
}

static int ambiguous(const struct query *q, const struct hits *h, struct sr_error *err)
{
    int sources_differ = 0;
    for (size_t i = 0; i < q->c->len && !q->source; i++)
        sources_differ |=
            is_wanted(q, &q->c->sets[i]) && strcmp(q->c->sets[i].source, h->first->source) != 0;
    return sr_fail(err, SR_E_CONFIG, "\"%s\" could be one of %zu backups: %s%s; %s", q->backup,
                   h->len, h->told, h->len > CANDIDATES_TOLD ? ", ..." : "",
                   sources_differ ? "name one of them whole, or add --database"
                                  : "name one of them whole, or take latest with --label");
}

/* 1 when one was found, -1 when several (err filled), 0 when none. */
static int settle(const struct query *q, const struct hits *h, const struct sr_catalog_set **ret,
                  struct sr_error *err)
{
    if (h->len > 1) {
        (void)ambiguous(q, h, err);
        return -1;
    }
    if (h->len == 1)
        *ret = h->first;
    return h->len == 1;
}

static int find_latest(const struct query *q, const struct sr_catalog_set **ret,
                       struct sr_error *err)
{
    struct hits h = {0};
    for (size_t i = q->c->len; i-- > 0;) {
        const struct sr_catalog_set *s = &q->c->sets[i];
        if (!is_wanted(q, s))
            continue;
        if (h.first && (h.first->time != s->time || strcmp(h.first->source, s->source) == 0))
            break;
        hit(&h, s);
    }
    return settle(q, &h, ret, err);
}

/* "<set>.<source>" names one of several sources of a set. */
static int names_both(const struct sr_catalog_set *s, const char *text)
{
    size_t n = strlen(s->set);
    return has_prefix(text, s->set) && text[n] == '.' && strcmp(text + n + 1, s->source) == 0;
}

static int find_exact(const struct query *q, const struct sr_catalog_set **ret,
                      struct sr_error *err)
{
    struct hits sets = {0}, labels = {0};
    char escaped[SR_LABEL_MAX + 1] = "";
    (void)sr_label_escape(q->backup, escaped, NULL);
    for (size_t i = q->c->len; i-- > 0;) {
        const struct sr_catalog_set *s = &q->c->sets[i];
        if (!is_wanted(q, s))
            continue;
        if (strcmp(s->set, q->backup) == 0 || names_both(s, q->backup) ||
            (*escaped && strcmp(s->set, escaped) == 0))
            hit(&sets, s);
        else if (strcmp(s->label, q->backup) == 0 || (*escaped && strcmp(s->label, escaped) == 0))
            hit(&labels, s);
    }
    return settle(q, sets.len ? &sets : &labels, ret, err);
}

/* The sets that the object or the thing beside a set belongs to. */
static void owners(const struct query *q, const char *key, struct hits *h)
{
    struct sr_key_parts p;
    sr_key_parse(key, &p);
    for (int bare = 0; bare < 2 && h->len == 0; bare++) {
        for (size_t i = q->c->len; i-- > 0;) {
            const struct sr_catalog_set *s = &q->c->sets[i];
            if (is_wanted(q, s) && strcmp(s->set, p.set) == 0 &&
                (!*p.source || strcmp(s->source, p.source) == 0))
                hit(h, s);
        }
        char *dot = strrchr(p.set, '.');
        if (dot)
            *dot = '\0';
    }
}

/* Index of the first object that is not before key. */
static size_t first_object(const struct sr_catalog *c, const char *key)
{
    size_t lo = 0, hi = c->objects.len;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (strcmp(c->objects.items[mid], key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* An object's key, or that of something beside a set. */
static int find_key(const struct query *q, const struct sr_catalog_set **ret,
                    const char **ret_object, struct sr_error *err)
{
    struct hits h = {0};
    struct sr_key_parts p;
    size_t at = first_object(q->c, q->backup);
    int is_object = at < q->c->objects.len && strcmp(q->c->objects.items[at], q->backup) == 0;
    sr_key_parse(q->backup, &p);
    if (!is_object && (p.kind == SR_KEY_OBJECT || p.kind == SR_KEY_OTHER))
        return 0;
    owners(q, q->backup, &h);
    int found = settle(q, &h, ret, err);
    if (found == 1 && is_object)
        *ret_object = q->c->objects.items[at];
    if (found == 0 && is_object) {
        (void)sr_fail(err, SR_E_NOT_FOUND,
                      "%s is there, but there is no manifest for it%s: it is no complete backup",
                      q->backup,
                      q->source || q->label ? " (or not with that database or label)" : "");
        return -1;
    }
    return found;
}

/* A beginning of set names counts first; one that is longer than they are may tell an object. */
static int find_beginning(const struct query *q, const struct sr_catalog_set **ret,
                          const char **ret_object, struct sr_error *err)
{
    struct hits h = {0};
    char escaped[SR_LABEL_MAX + 1] = "";
    (void)sr_label_escape(q->backup, escaped, NULL);
    for (size_t i = q->c->len; i-- > 0;) {
        const struct sr_catalog_set *s = &q->c->sets[i];
        if (is_wanted(q, s) &&
            (has_prefix(s->set, q->backup) || (*escaped && has_prefix(s->set, escaped))))
            hit(&h, s);
    }
    if (h.len)
        return settle(q, &h, ret, err);

    size_t at = first_object(q->c, q->backup), objects = 0;
    for (size_t i = at; i < q->c->objects.len && has_prefix(q->c->objects.items[i], q->backup);
         i++) {
        struct hits here = {0};
        owners(q, q->c->objects.items[i], &here);
        if (here.len == 0)
            continue;
        *ret_object = q->c->objects.items[i];
        objects++;
        if (here.len > 1)
            return settle(q, &here, ret, err);
        if (here.first != h.first)
            hit(&h, here.first);
    }
    int found = settle(q, &h, ret, err);
    if (objects != 1 || found != 1)
        *ret_object = NULL;
    return found;
}

static int not_found(const struct query *q, struct sr_error *err)
{
    const char *near = NULL;
    const char **words = calloc(2 * q->c->len + 1, sizeof *words);
    size_t n = 0, wanted = 0;
    for (size_t i = 0; i < q->c->len; i++) {
        if (!is_wanted(q, &q->c->sets[i]))
            continue;
        wanted++;
        if (words) {
            words[n++] = q->c->sets[i].set;
            words[n++] = q->c->sets[i].label;
        }
    }
    if (words)
        near = sr_nearest(q->backup, words);
    int rc = wanted == 0
                 ? sr_fail(err, SR_E_NOT_FOUND, "there is no backup%s",
                           q->source || q->label ? " with that database or label" : " yet")
                 : sr_fail(err, SR_E_NOT_FOUND,
                           "no backup is called \"%s\" or begins so, among %zu%s%s%s; `strongroom "
                           "list` shows them",
                           q->backup, wanted, near ? "; did you mean " : "", near ? near : "",
                           near ? "?" : "");
    free(words);
    return rc;
}

int sr_catalog_find(const struct sr_catalog *c, const char *backup, const char *source,
                    const char *label, const struct sr_catalog_set **ret, const char **ret_object,
                    struct sr_error *err)
{
    struct query q = {.c = c, .backup = backup, .source = source, .label = label};
    const struct sr_catalog_set *set = NULL;
    const char *object = NULL;
    struct sr_error why = SR_ERROR_INIT;
    if (!*backup)
        return sr_fail(err, SR_E_CONFIG, "the name of a backup is empty");
    int rc = source ? sr_source_escape(source, q.source_escaped, err) : SR_OK;
    if (rc != SR_OK)
        return rc;
    if (label)
        (void)sr_label_escape(label, q.label_escaped, NULL);

    int found;
    if (strcmp(backup, "latest") == 0) {
        found = find_latest(&q, &set, &why);
    } else {
        found = find_exact(&q, &set, &why);
        if (found == 0)
            found = find_key(&q, &set, &object, &why);
        if (found == 0)
            found = find_beginning(&q, &set, &object, &why);
    }
    if (found < 0)
        return sr_error_copy(err, &why);
    if (found == 0)
        return not_found(&q, err);
    *ret = set;
    if (ret_object)
        *ret_object = object;
    return SR_OK;
}
