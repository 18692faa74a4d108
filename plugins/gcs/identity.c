/* The chain of sources, and what they share. */
#include "gcs/identity.h"

#include "common/http.h"
#include "common/setting.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static void release(void *ctx)
{
    struct gcs_identity *a = ctx;
    if (--a->refs > 0)
        return;
    sc_http_free(a->metadata);
    sc_http_free(a->token);
    free(a->label);
    free(a->ca_file);
    free(a->ca_setting);
    free(a);
}

static int copy(char **to, const char *from)
{
    return !from || (*to = strdup(from)) ? 0 : -1;
}

static struct gcs_identity *shared_new(const struct gcs_identity_options *o)
{
    struct gcs_identity *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->refs = 1;
    a->clock = o->clock;
    if (copy(&a->label, o->label) || copy(&a->ca_file, o->ca_file) ||
        copy(&a->ca_setting, o->ca_setting)) {
        release(a);
        return NULL;
    }
    return a;
}

int32_t gcs_identity_client(struct gcs_identity *a, const struct sr_storage_host *host,
                            struct sc_http **ret, struct sc_error *err)
{
    const struct sc_http_options o = {.label = a->label,
                                      .ca_file = a->ca_file,
                                      .ca_setting = a->ca_setting,
                                      .connections_max = 1};
    int32_t rc = a->token ? SR_STORAGE_OK : sc_http_new(host, &o, &a->token, err);
    *ret = a->token;
    return rc;
}

int32_t gcs_file_load(const char *path, size_t max, struct sc_buf *ret, struct sc_error *err)
{
    char piece[4096];
    ssize_t n = 0;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return sc_fail_errno(err, errno, "cannot read %s", path);
    sc_buf_done(ret);
    *ret = (struct sc_buf)SC_BUF_SECRET_INIT(max);
    while ((n = read(fd, piece, sizeof piece)) > 0)
        (void)sc_buf_add(ret, piece, (size_t)n);
    int e = errno;
    sc_wipe(piece, sizeof piece);
    if (n < 0)
        return sc_fail_errno(err, e, "cannot read %s", path);
    return sc_buf_check(ret, err, path);
}

/* --- files ----------------------------------------------------------------------------------- */

static int32_t token_of(struct gcs_identity *a, const struct sr_storage_host *host,
                        const struct gcs_file *f, const char *scope, struct sc_cred **ret,
                        struct sc_error *err)
{
    switch (f->kind) {
    case GCS_KIND_SERVICE:
        return gcs_token_service(a, host, f, scope, ret, err);
    case GCS_KIND_USER:
        return gcs_token_user(a, host, f, ret, err);
    default:
        return gcs_token_external(a, host, f, scope, ret, err);
    }
}

/* As Google's libraries: the first token is for asking for the other one, so it needs the wide
 * scope. */
static int32_t file_token(struct gcs_identity *a, const struct sr_storage_host *host,
                          const struct gcs_file *f, const char *path, struct sc_cred **ret,
                          struct sc_error *err)
{
    struct gcs_file source = *f;
    _cleanup_(sc_cred_unrefp) struct sc_cred *base = NULL;
    int32_t rc = SR_STORAGE_OK;
    if (f->kind == GCS_KIND_IMPERSONATED)
        rc = gcs_file_read(f->source, path, &source, err);
    if (rc == SR_STORAGE_OK && source.kind == GCS_KIND_IMPERSONATED)
        rc = sc_fail(err, SR_STORAGE_E_CONFIG,
                     "%s: source_credentials is impersonated itself; name delegates instead", path);
    if (rc == SR_STORAGE_OK)
        rc = token_of(a, host, &source, f->impersonation_url ? GCS_SCOPE_ALL : GCS_SCOPE, &base,
                      err);
    if (rc != SR_STORAGE_OK || !f->impersonation_url) {
        *ret = sc_steal_ptr(base);
        return rc;
    }
    return gcs_token_impersonate(a, host, f, base, ret, err);
}

static void name_source(struct sc_cred *c, const struct gcs_file *f, const char *path)
{
    static const char *const kinds[] = {"service account", "user", "external account",
                                        "impersonated service account"};
    const char *who = f->email ? f->email : "";
    (void)snprintf(c->source, sizeof c->source, "%s%s%.64s in %.80s", kinds[f->kind],
                   *who ? " " : "", who, path);
    (void)snprintf(c->id, sizeof c->id, "%.255s", who);
}

static int32_t from_path(struct gcs_identity *a, const struct sr_storage_host *host,
                         const char *path, struct sc_cred **ret, struct sc_error *err)
{
    _cleanup_(sc_buf_done) struct sc_buf text = SC_BUF_SECRET_INIT(GCS_FILE_MAX);
    _cleanup_(sc_json_wipe) json_t *v = NULL;
    struct gcs_file f;
    int32_t rc = gcs_file_load(path, GCS_FILE_MAX, &text, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (sc_json_read(path, text.data, text.len, GCS_FILE_MAX, &v, NULL) != SR_STORAGE_OK)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "%s holds no JSON object", path);
    rc = gcs_file_read(v, path, &f, err);
    if (rc == SR_STORAGE_OK)
        rc = file_token(a, host, &f, path, ret, err);
    if (rc == SR_STORAGE_OK)
        name_source(*ret, &f, path);
    return rc;
}

int32_t gcs_from_file(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                      struct sc_error *err)
{
    _cleanup_free_ char *path = NULL;
    int32_t rc = sc_setting_string(host, "application_credentials", &path, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (!path)
        return sc_fail(err, SR_STORAGE_E_NOT_FOUND, "GOOGLE_APPLICATION_CREDENTIALS is not set");
    rc = from_path(ctx, host, path, ret, err);
    /* A file that is set and missing is a mistake, not a source that is not set up. */
    if (rc != SR_STORAGE_E_NOT_FOUND)
        return rc;
    if (err)
        err->code = SR_STORAGE_E_CONFIG;
    return SR_STORAGE_E_CONFIG;
}

static int32_t gcloud_path(const struct sr_storage_host *host, char **ret, struct sc_error *err)
{
    static const char name[] = "application_default_credentials.json";
    _cleanup_free_ char *config = NULL, *home = NULL;
    int n = 0;
    int32_t rc = sc_setting_string(host, "cloudsdk_config", &config, err);
    if (rc == SR_STORAGE_OK && !config)
        rc = sc_setting_string(host, "home", &home, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (!config && !home)
        return sc_fail(err, SR_STORAGE_E_NOT_FOUND, "neither CLOUDSDK_CONFIG nor HOME is set");
    n = config ? asprintf(ret, "%s/%s", config, name)
               : asprintf(ret, "%s/.config/gcloud/%s", home, name);
    if (n >= 0)
        return SR_STORAGE_OK;
    *ret = NULL;
    return sc_fail_memory(err);
}

int32_t gcs_from_gcloud(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                        struct sc_error *err)
{
    _cleanup_free_ char *path = NULL;
    int32_t rc = gcloud_path(host, &path, err);
    if (rc == SR_STORAGE_OK && access(path, F_OK) != 0)
        return sc_fail_errno(err, errno == EACCES ? ENOENT : errno, "no file of gcloud's at %s",
                             path);
    if (rc == SR_STORAGE_OK)
        rc = from_path(ctx, host, path, ret, err);
    return rc;
}

/* --- the chain ------------------------------------------------------------------------------- */

static const struct {
    const char *choice; /* of the setting credentials */
    struct sc_provider provider;
} sources[] = {
    {"file", {.name = "the file of GOOGLE_APPLICATION_CREDENTIALS", .fetch = gcs_from_file}},
    {"gcloud", {.name = "gcloud's default file", .fetch = gcs_from_gcloud}},
    {"metadata", {.name = "the metadata server", .fetch = gcs_from_metadata}},
};

int32_t gcs_identity_new(const struct sr_storage_host *host, const struct gcs_identity_options *o,
                         struct sc_creds **ret, struct sc_error *err)
{
    _cleanup_free_ char *choice = NULL;
    /* Tokens live so and so long from when they come: by this machine's clock, right or wrong. */
    const struct sc_creds_options times = {.advisory_s = GCS_ADVISORY_S,
                                           .mandatory_s = GCS_MANDATORY_S};
    struct sc_creds *creds = NULL;
    int32_t rc = sc_setting_string(host, "credentials", &choice, err);
    *ret = NULL;
    if (rc != SR_STORAGE_OK || (choice && strcmp(choice, "none") == 0))
        return rc;
    struct gcs_identity *a = shared_new(o);
    rc = a ? sc_creds_new(&times, &creds, err) : sc_fail_memory(err);
    for (size_t i = 0; i < sizeof sources / sizeof *sources && rc == SR_STORAGE_OK; i++) {
        if (choice && strcmp(choice, "auto") != 0 && strcmp(choice, sources[i].choice) != 0)
            continue;
        struct sc_provider p = sources[i].provider;
        p.free = release;
        p.ctx = a;
        a->refs++;
        rc = sc_creds_add(creds, &p, err);
    }
    if (a)
        release(a);
    if (rc == SR_STORAGE_OK)
        *ret = creds;
    else
        sc_creds_free(creds);
    return rc;
}
