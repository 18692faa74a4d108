/* A credentials file, judged (pure). */
#include "gcs/identity.h"

#include "common/cleanup.h"
#include "common/request.h"

#include <arpa/inet.h>
#include <string.h>

#define LIFETIME_S 3600
/* Where an instance at Azure asks for a token of its managed identity ("How to use managed
 * identities to get an access token": HTTP); Google's own tools write this URL into the file. */
#define AZURE_TOKEN_PATH "/metadata/identity/oauth2/token"

static int32_t need(const json_t *v, const char *name, const char *path, const char **ret,
                    struct sc_error *err)
{
    *ret = sc_json_text(v, name);
    if (*ret && **ret)
        return SR_STORAGE_OK;
    return sc_fail(err, SR_STORAGE_E_CONFIG, "%s has no text %s", path, name);
}

int32_t gcs_file_url_check(const char *url, const char *what, const char *path,
                           struct sc_error *err)
{
    _cleanup_(sc_request_done) struct sc_request r = SC_REQUEST_INIT;
    int32_t rc = sc_request_url(&r, "POST", url, err);
    if (rc != SR_STORAGE_OK)
        return sc_error_wrap(err, "%s, %s", path, what);
    if (strcmp(r.scheme, "https") != 0 && !sc_host_is_loopback(r.host))
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "%s, %s: %s://%s is asked neither over https nor on this machine", path,
                       what, r.scheme, r.host);
    return SR_STORAGE_OK;
}

static int32_t need_url(const json_t *v, const char *name, const char *path, const char **ret,
                        struct sc_error *err)
{
    int32_t rc = need(v, name, path, ret, err);
    return rc == SR_STORAGE_OK ? gcs_file_url_check(*ret, name, path, err) : rc;
}

/* Where the file does not say it is Google's own. */
static int32_t token_url(const json_t *v, const char *path, struct gcs_file *ret,
                         struct sc_error *err)
{
    ret->token_url = sc_json_text(v, "token_uri");
    if (!ret->token_url)
        ret->token_url = "https://oauth2.googleapis.com/token";
    return gcs_file_url_check(ret->token_url, "token_uri", path, err);
}

static int32_t service_read(const json_t *v, const char *path, struct gcs_file *ret,
                            struct sc_error *err)
{
    ret->kind = GCS_KIND_SERVICE;
    ret->key_id = sc_json_text(v, "private_key_id");
    int32_t rc = need(v, "client_email", path, &ret->email, err);
    if (rc == SR_STORAGE_OK)
        rc = need(v, "private_key", path, &ret->key, err);
    return rc == SR_STORAGE_OK ? token_url(v, path, ret, err) : rc;
}

static int32_t user_read(const json_t *v, const char *path, struct gcs_file *ret,
                         struct sc_error *err)
{
    ret->kind = GCS_KIND_USER;
    int32_t rc = need(v, "client_id", path, &ret->client_id, err);
    if (rc == SR_STORAGE_OK)
        rc = need(v, "client_secret", path, &ret->client_secret, err);
    if (rc == SR_STORAGE_OK)
        rc = need(v, "refresh_token", path, &ret->refresh_token, err);
    return rc == SR_STORAGE_OK ? token_url(v, path, ret, err) : rc;
}

static int is_link_local(const char *host)
{
    struct in_addr four;
    return inet_pton(AF_INET, host, &four) == 1 && ntohl(four.s_addr) >> 16 == 0xa9fe;
}

/* Beside what any URL of the file may be: the metadata service of an instance at Azure, which has
 * no https. That service alone: at the same address other clouds hand out a machine's own keys,
 * which a hostile file would have us send to its token_url. */
static int32_t source_url_check(const char *path, struct gcs_file *ret, struct sc_error *err)
{
    static const char what[] = "credential_source.url";
    _cleanup_(sc_request_done) struct sc_request r = SC_REQUEST_INIT;
    if (sc_request_url(&r, "GET", ret->source_url, NULL) != SR_STORAGE_OK || !is_link_local(r.host))
        return gcs_file_url_check(ret->source_url, what, path, err);
    ret->source_metadata = 1;
    if (strcmp(sc_buf_str(&r.path), AZURE_TOKEN_PATH) == 0)
        return SR_STORAGE_OK;
    return sc_fail(err, SR_STORAGE_E_CONFIG,
                   "%s, %s: of the metadata services at %s only Azure's, " AZURE_TOKEN_PATH
                   ", is asked",
                   path, what, r.host);
}

/* Where an external account's own token comes from. */
static int32_t source_read(const json_t *v, const char *path, struct gcs_file *ret,
                           struct sc_error *err)
{
    static const char *const others[][2] = {{"environment_id", "Amazon's own credentials"},
                                            {"executable", "a program"},
                                            {"certificate", "a certificate"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (json_object_get(v, others[i][0]))
            return sc_fail(err, SR_STORAGE_E_UNSUPPORTED,
                           "%s: credential_source has %s: %s as a source is not supported; a file "
                           "or a url is",
                           path, others[i][0], others[i][1]);
    ret->source_file = sc_json_text(v, "file");
    ret->source_url = sc_json_text(v, "url");
    ret->source_headers = json_object_get(v, "headers");
    if (!ret->source_file == !ret->source_url)
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "%s: credential_source must have either file or url", path);
    int32_t rc = ret->source_url ? source_url_check(path, ret, err) : SR_STORAGE_OK;
    const json_t *format = json_object_get(v, "format");
    const char *type = sc_json_text(format, "type");
    if (rc != SR_STORAGE_OK || !type || strcmp(type, "text") == 0)
        return rc;
    if (strcmp(type, "json") == 0)
        return need(format, "subject_token_field_name", path, &ret->source_field, err);
    return sc_fail(err, SR_STORAGE_E_UNSUPPORTED,
                   "%s: format '%.32s' of credential_source is not known; text and json are", path,
                   type);
}

static int32_t external_read(const json_t *v, const char *path, struct gcs_file *ret,
                             struct sc_error *err)
{
    const json_t *times = json_object_get(v, "service_account_impersonation");
    ret->kind = GCS_KIND_EXTERNAL;
    ret->client_id = sc_json_text(v, "client_id");
    ret->client_secret = sc_json_text(v, "client_secret");
    ret->user_project = sc_json_text(v, "workforce_pool_user_project");
    int32_t rc = need(v, "audience", path, &ret->audience, err);
    if (rc == SR_STORAGE_OK)
        rc = need(v, "subject_token_type", path, &ret->subject_type, err);
    if (rc == SR_STORAGE_OK)
        rc = need_url(v, "token_url", path, &ret->token_url, err);
    if (rc == SR_STORAGE_OK && json_object_get(v, "service_account_impersonation_url"))
        rc = need_url(v, "service_account_impersonation_url", path, &ret->impersonation_url, err);
    if (rc == SR_STORAGE_OK && json_object_get(times, "token_lifetime_seconds") &&
        (sc_json_u64(times, "token_lifetime_seconds", &ret->lifetime) != 0 || ret->lifetime < 60 ||
         ret->lifetime > 43200))
        rc = sc_fail(err, SR_STORAGE_E_CONFIG,
                     "%s: token_lifetime_seconds must be within 60 and 43200", path);
    return rc == SR_STORAGE_OK
               ? source_read(json_object_get(v, "credential_source"), path, ret, err)
               : rc;
}

static int32_t impersonated_read(const json_t *v, const char *path, struct gcs_file *ret,
                                 struct sc_error *err)
{
    ret->kind = GCS_KIND_IMPERSONATED;
    ret->delegates = json_object_get(v, "delegates");
    ret->source = json_object_get(v, "source_credentials");
    int32_t rc =
        need_url(v, "service_account_impersonation_url", path, &ret->impersonation_url, err);
    if (rc == SR_STORAGE_OK && !json_is_object(ret->source))
        rc = sc_fail(err, SR_STORAGE_E_CONFIG, "%s has no object source_credentials", path);
    return rc;
}

/* Google in other clouds has other host names, which the file would have us trust. */
static int32_t universe_check(const json_t *v, const char *path, struct sc_error *err)
{
    const char *universe = sc_json_text(v, "universe_domain");
    if (!universe || strcmp(universe, "googleapis.com") == 0)
        return SR_STORAGE_OK;
    return sc_fail(err, SR_STORAGE_E_UNSUPPORTED,
                   "%s is for universe_domain '%.64s'; only googleapis.com is supported", path,
                   universe);
}

int32_t gcs_file_read(const json_t *v, const char *path, struct gcs_file *ret, struct sc_error *err)
{
    static const struct {
        const char *type;
        int32_t (*read)(const json_t *v, const char *path, struct gcs_file *ret,
                        struct sc_error *err);
    } kinds[] = {{"service_account", service_read},
                 {"authorized_user", user_read},
                 {"external_account", external_read},
                 {"impersonated_service_account", impersonated_read}};
    const char *type = NULL;
    *ret = (struct gcs_file){.lifetime = LIFETIME_S};
    int32_t rc = need(v, "type", path, &type, err);
    if (rc == SR_STORAGE_OK)
        rc = universe_check(v, path, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].type, type) == 0)
            return kinds[i].read(v, path, ret, err);
    return sc_fail(err, SR_STORAGE_E_UNSUPPORTED,
                   "%s is of type '%.64s', which is not supported; service_account, "
                   "authorized_user, external_account and impersonated_service_account are",
                   path, type);
}
