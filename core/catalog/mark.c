#include "config.h"
#include "core/catalog/mark.h"
#include "core/util/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char head[] = "strongroom ";

int sr_run_id_make(char out[SR_RUN_ID_SIZE], struct sr_error *err)
{
    unsigned char random[(SR_RUN_ID_SIZE - 1) / 2];
    if (sr_random(random, sizeof random) != 0)
        return sr_fail_errno(err, errno, "cannot get random bytes");
    sr_hex(random, sizeof random, out);
    return SR_OK;
}

int sr_run_id_ok(const char *s)
{
    return strspn(s, "0123456789abcdef") == SR_RUN_ID_SIZE - 1 && s[SR_RUN_ID_SIZE - 1] == '\0';
}

int sr_mark_add(struct sr_mark *m, const char *key)
{
    return sr_strlist_add(&m->keys, key);
}

int sr_mark_add_end(struct sr_mark *m, const char *end)
{
    return sr_strlist_add(&m->ends, end);
}

static const char *kind_word(enum sr_key_kind kind)
{
    return kind == SR_KEY_CLAIM ? "claim" : "pruning";
}

int sr_mark_write(const struct sr_mark *m, struct sr_buf *out, struct sr_error *err)
{
    int rc = sr_buf_printf(out, "%s%s 1\nrun %s\nsource %s\n", head, kind_word(m->kind), m->run,
                           m->source);
    for (size_t i = 0; rc == SR_OK && i < m->keys.len; i++)
        rc = sr_buf_printf(out, "key %s\n", m->keys.items[i]);
    for (size_t i = 0; rc == SR_OK && i < m->ends.len; i++)
        rc = sr_buf_printf(out, "end %s\n", m->ends.items[i]);
    if (rc == SR_E_NO_SPACE)
        return sr_fail(err, rc,
                       "the set has so many objects that a list of them is larger than %zu "
                       "bytes",
                       out->max);
    return rc == SR_OK ? SR_OK : sr_fail(err, rc, "out of memory");
}

/* What a mark can speak for: data and what lies beside, never a commit mark. */
static int is_markable(enum sr_key_kind kind)
{
    return kind == SR_KEY_OBJECT || kind == SR_KEY_DETAIL || kind == SR_KEY_SUMS ||
           kind == SR_KEY_SIGNATURE || kind == SR_KEY_PROOF;
}

static int take_key(const char *key, const char *set, struct sr_mark *m)
{
    struct sr_key_parts parts;
    sr_key_parse(key, &parts);
    if (!is_markable(parts.kind) || !sr_key_belongs(key, set))
        return SR_E_CORRUPT;
    return sr_mark_add(m, key);
}

/* An end is one when it makes an object's key of this set. */
static int take_end(const char *end, const char *set, struct sr_mark *m)
{
    static const char sha[] = "-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    char key[SR_SET_MAX + sizeof sha + 128];
    struct sr_key_parts parts;
    if (strlen(end) >= 128)
        return SR_E_CORRUPT;
    (void)snprintf(key, sizeof key, "%s%s%s", set, sha, end);
    sr_key_parse(key, &parts);
    if (parts.kind != SR_KEY_OBJECT || strcmp(parts.set, set) != 0 || !*parts.sha256)
        return SR_E_CORRUPT;
    return sr_mark_add_end(m, end);
}

static int take_line(char *line, const char *set, struct sr_mark *m)
{
    char *value = strchr(line, ' ');
    if (!value)
        return SR_E_CORRUPT;
    *value++ = '\0';
    if (strcmp(line, "key") == 0)
        return take_key(value, set, m);
    if (strcmp(line, "end") == 0)
        return take_end(value, set, m);
    if (strcmp(line, "run") == 0 && sr_run_id_ok(value) && !*m->run) {
        memcpy(m->run, value, sizeof m->run);
        return SR_OK;
    }
    if (strcmp(line, "source") == 0 && strlen(value) < sizeof m->source && !*m->source) {
        memcpy(m->source, value, strlen(value) + 1);
        return SR_OK;
    }
    return SR_E_CORRUPT;
}

static int take_head(const char *line, struct sr_mark *m, struct sr_error *err)
{
    static const enum sr_key_kind kinds[] = {SR_KEY_CLAIM, SR_KEY_PRUNING};
    size_t n = sizeof head - 1;
    for (size_t i = 0; strncmp(line, head, n) == 0 && i < sizeof kinds / sizeof *kinds; i++) {
        const char *word = kind_word(kinds[i]);
        size_t w = strlen(word);
        if (strncmp(line + n, word, w) != 0 || line[n + w] != ' ')
            continue;
        m->kind = kinds[i];
        return strcmp(line + n + w, " 1") == 0
                   ? SR_OK
                   : sr_fail(err, SR_E_UNSUPPORTED, "a %s of a later version", word);
    }
    return sr_fail(err, SR_E_CORRUPT, "no mark of strongroom");
}

int sr_mark_read(const char *text, size_t len, const char *set, struct sr_mark *ret,
                 struct sr_error *err)
{
    struct sr_buf copy;
    sr_buf_init(&copy, SR_MARK_MAX);
    *ret = (struct sr_mark){.kind = SR_KEY_OTHER};
    if (len == 0 || len > SR_MARK_MAX || text[len - 1] != '\n' || memchr(text, '\0', len))
        return sr_fail(err, SR_E_CORRUPT, "no mark of strongroom");
    if (sr_buf_add(&copy, text, len) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    int rc = SR_OK, first = 1;
    for (char *line = copy.data, *nl; rc == SR_OK && *line; line = nl + 1, first = 0) {
        nl = strchr(line, '\n');
        *nl = '\0';
        if (first)
            rc = take_head(line, ret, err);
        else if ((rc = take_line(line, set, ret)) != SR_OK)
            sr_fail(err, rc, "the %s of %s has a line that it cannot have", kind_word(ret->kind),
                    set);
    }
    if (rc == SR_OK && (!*ret->run || !*ret->source))
        rc = sr_fail(err, SR_E_CORRUPT, "the %s of %s is cut off", kind_word(ret->kind), set);
    sr_buf_done(&copy);
    return rc;
}

int sr_mark_covers(const struct sr_mark *m, const char *set, const char *key)
{
    struct sr_key_parts parts;
    char label[SR_SET_MAX];
    int64_t time = -1;
    if (sr_strlist_has(&m->keys, key))
        return 1;
    sr_key_parse(key, &parts);
    sr_set_split(set, label, &time);
    return parts.kind == SR_KEY_OBJECT && *parts.sha256 && time >= 0 &&
           strcmp(parts.set, set) == 0 &&
           sr_strlist_has(&m->ends, key + strlen(set) + 1 + strlen(parts.sha256));
}

void sr_mark_done(struct sr_mark *m)
{
    sr_strlist_done(&m->keys);
    sr_strlist_done(&m->ends);
    *m = (struct sr_mark){.kind = SR_KEY_OTHER};
}
