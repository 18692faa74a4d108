#include "config.h"
#include "core/catalog/proof.h"
#include "core/catalog/manifest_json.h"
#include "core/util/cleanup.h"
#include "core/util/clock.h"

#include <stdlib.h>
#include <string.h>

#define VALUES_MAX 1000   /* JSON values in one proof */
#define TEXT_WRITTEN 1000 /* bytes; four times as many where it is no UTF-8 */
#define CHECK_WRITTEN 300

static const char passed[] = "passed", failed[] = "failed";

/* At most max bytes of s, whole characters. */
static size_t cut_length(const char *s, size_t max)
{
    size_t len = strnlen(s, max);
    while (len > 0 && s[len] && ((unsigned char)s[len] & 0xc0) == 0x80)
        len--;
    return len;
}

/* 0, or -1 when memory is out. */
static int put_cut(json_t *o, const char *name, const char *text)
{
    if (!text)
        return 0;
    _cleanup_free_ char *cut = strndup(text, cut_length(text, TEXT_WRITTEN));
    return cut ? sr_json_put_text(o, name, cut) : -1;
}

static int put_checked(json_t *root, const struct sr_strlist *l)
{
    struct sr_strlist some = {0};
    int bad = 0;
    for (size_t i = 0; !bad && i < l->len && i < SR_PROOF_CHECKED_MAX; i++)
        bad = sr_strlist_addn(&some, l->items[i], cut_length(l->items[i], CHECK_WRITTEN)) != SR_OK;
    bad = bad || sr_json_put_texts(root, "checked", &some);
    sr_strlist_done(&some);
    return bad;
}

static json_t *proof_to_json(const struct sr_proof *p)
{
    char iso[SR_TIME_ISO_SIZE];
    json_t *root = json_object();
    sr_time_iso(p->name.time, iso);
    int bad =
        !root || sr_json_put_u64(root, "format", SR_PROOF_FORMAT) ||
        sr_json_put(root, "set", p->set) || sr_json_put(root, "source", p->source) ||
        sr_json_put(root, "manifest", p->manifest) ||
        sr_json_put(root, "rung", sr_rung_name(p->name.rung)) ||
        sr_json_put(root, "outcome", p->name.failed ? failed : passed) ||
        sr_json_put(root, "time", iso) || put_cut(root, "host", p->host) ||
        put_cut(root, "store", p->store) || put_cut(root, "strongroom", p->strongroom_version) ||
        sr_json_put_u64(root, "bytes", p->bytes) || sr_json_put_u64(root, "seconds", p->seconds) ||
        put_checked(root, &p->checked) || put_cut(root, "error", p->error);
    if (!bad)
        return root;
    json_decref(root);
    return NULL;
}

int sr_proof_write(const struct sr_proof *p, struct sr_buf *out, struct sr_error *err)
{
    char digest[65], suffix[SR_PROOF_SUFFIX_MAX];
    if (!sr_is_sha256(p->manifest) || sr_proof_suffix(&p->name, suffix) != SR_OK || !*p->set ||
        !*p->source)
        return sr_fail(err, SR_E_CONFIG, "a proof of %s that says too little", p->set);
    json_t *root = proof_to_json(p);
    if (!root)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    int rc = sr_manifest_digest(root, digest, err);
    if (rc == SR_OK && sr_json_put(root, "digest", digest) != 0)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK)
        rc = sr_json_write(root, out, err);
    json_decref(root);
    return rc;
}

static int check_head(json_t *root, struct sr_error *err)
{
    uint64_t format = 0;
    char claimed[65] = "", real[65] = "";
    int rc = sr_json_get_u64(root, "format", SR_JSON_REQUIRED, INT64_MAX, &format, err);
    if (rc == SR_OK && format > SR_PROOF_FORMAT)
        return sr_fail(err, SR_E_UNSUPPORTED, "it has format %llu, this strongroom reads up to %d",
                       (unsigned long long)format, SR_PROOF_FORMAT);
    if (rc == SR_OK)
        rc = sr_json_get_sha256(root, "digest", SR_JSON_REQUIRED, claimed, err);
    if (rc == SR_OK)
        (void)json_object_del(root, "digest");
    if (rc == SR_OK)
        rc = sr_manifest_digest(root, real, err);
    if (rc == SR_OK && strcmp(claimed, real) != 0)
        rc = sr_fail(err, SR_E_CORRUPT, "it was damaged or changed: its digest does not fit");
    return rc;
}

/* The member must be there and be exactly want. */
static int same(const json_t *root, const char *name, const char *want, const char *what,
                struct sr_error *err)
{
    const char *s = NULL;
    int rc = sr_json_get_string(root, name, SR_JSON_REQUIRED, SR_PROOF_TEXT_MAX, &s, err);
    if (rc == SR_OK && strcmp(s, want) != 0)
        rc = sr_fail(err, SR_E_CORRUPT, "%s", what);
    return rc;
}

/* What it says of itself against where it lies. */
static int check_place(const json_t *root, const struct sr_proof_where *w, struct sr_proof *p,
                       struct sr_error *err)
{
    static const char elsewhere[] = "it is a proof of another backup",
                      otherwise[] = "it says something else than its name";
    char iso[SR_TIME_ISO_SIZE];
    if (sr_proof_name_read(w->suffix, &p->name) != SR_OK)
        return sr_fail(err, SR_E_UNSUPPORTED, "its name tells of no rung that is known here");
    sr_time_iso(p->name.time, iso);
    int rc = same(root, "set", w->set, elsewhere, err);
    if (rc == SR_OK)
        rc = same(root, "source", w->source, elsewhere, err);
    if (rc == SR_OK)
        rc = same(root, "manifest", w->manifest,
                  "it is a proof of another manifest than the one that is there", err);
    if (rc == SR_OK)
        rc = same(root, "rung", sr_rung_name(p->name.rung), otherwise, err);
    if (rc == SR_OK)
        rc = same(root, "outcome", p->name.failed ? failed : passed, otherwise, err);
    if (rc == SR_OK)
        rc = same(root, "time", iso, otherwise, err);
    return rc;
}

static int read_rest(const json_t *root, struct sr_proof *p, struct sr_error *err)
{
    int rc = sr_json_copy_text(root, "host", SR_JSON_OPTIONAL, SR_PROOF_TEXT_MAX, &p->host, err);
    if (rc == SR_OK)
        rc = sr_json_copy_text(root, "store", SR_JSON_OPTIONAL, SR_PROOF_TEXT_MAX, &p->store, err);
    if (rc == SR_OK)
        rc = sr_json_copy_text(root, "strongroom", SR_JSON_OPTIONAL, SR_PROOF_TEXT_MAX,
                               &p->strongroom_version, err);
    if (rc == SR_OK)
        rc = sr_json_get_u64(root, "bytes", SR_JSON_OPTIONAL, INT64_MAX, &p->bytes, err);
    if (rc == SR_OK)
        rc = sr_json_get_u64(root, "seconds", SR_JSON_OPTIONAL, INT64_MAX, &p->seconds, err);
    if (rc == SR_OK)
        rc = sr_json_get_strings(root, "checked", SR_JSON_OPTIONAL, SR_PROOF_TEXT_MAX, &p->checked,
                                 err);
    if (rc == SR_OK && p->checked.len > SR_PROOF_CHECKED_MAX)
        rc = sr_fail(err, SR_E_CORRUPT, "it lists more than %d checks", SR_PROOF_CHECKED_MAX);
    if (rc == SR_OK)
        rc = sr_json_copy_text(root, "error", SR_JSON_OPTIONAL, SR_PROOF_TEXT_MAX, &p->error, err);
    return rc;
}

int sr_proof_read(const void *text, size_t len, const struct sr_proof_where *where,
                  struct sr_proof *ret, struct sr_error *err)
{
    struct sr_proof p = {0};
    json_t *root = NULL;
    if (len > SR_PROOF_MAX)
        return sr_fail(err, SR_E_CORRUPT, "a proof of %zu bytes; at most %u are allowed", len,
                       SR_PROOF_MAX);
    if (strlen(where->set) >= sizeof p.set || strlen(where->source) >= sizeof p.source ||
        !sr_is_sha256(where->manifest))
        return sr_fail(err, SR_E_CORRUPT, "no set that could have a proof");
    int rc = sr_json_load(text, len, VALUES_MAX, &root, err);
    if (rc == SR_OK)
        rc = check_head(root, err);
    if (rc == SR_OK)
        rc = check_place(root, where, &p, err);
    if (rc == SR_OK)
        rc = read_rest(root, &p, err);
    json_decref(root);
    if (rc != SR_OK) {
        sr_proof_done(&p);
        return rc;
    }
    memcpy(p.set, where->set, strlen(where->set) + 1);
    memcpy(p.source, where->source, strlen(where->source) + 1);
    memcpy(p.manifest, where->manifest, sizeof p.manifest);
    *ret = p;
    return SR_OK;
}

void sr_proof_done(struct sr_proof *p)
{
    free(p->host);
    free(p->store);
    free(p->strongroom_version);
    free(p->error);
    sr_strlist_done(&p->checked);
    *p = (struct sr_proof){0};
}
