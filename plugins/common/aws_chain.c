#include "common/aws_private.h"
#include "common/aws_profile.h"
#include "common/http.h"

#include <stdio.h>
#include <string.h>

#define METADATA_CONNECT_MS 1000
#define METADATA_STALL_S 2
#define SETTING_MAX 65536

/* --- what the sources share --- */

static void release(void *ctx)
{
    struct sc_aws *a = ctx;
    if (--a->refs > 0)
        return;
    sc_http_free(a->metadata);
    sc_http_free(a->sts);
    free(a->label);
    free(a->user_agent);
    free(a->ca_file);
    free(a->ca_path);
    free(a->ca_setting);
    free(a);
}

static int copy(char **to, const char *from)
{
    return !from || (*to = strdup(from)) ? 0 : -1;
}

static struct sc_aws *shared_new(const struct sc_aws_options *o)
{
    struct sc_aws *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->refs = 1;
    a->clock = o->clock;
    if (copy(&a->label, o->label) || copy(&a->user_agent, o->user_agent) ||
        copy(&a->ca_file, o->ca_file) || copy(&a->ca_path, o->ca_path) ||
        copy(&a->ca_setting, o->ca_setting)) {
        release(a);
        return NULL;
    }
    return a;
}

int32_t sc_aws_metadata_client(struct sc_aws *a, const struct sr_storage_host *host,
                               struct sc_http **ret, struct sc_error *err)
{
    const struct sc_http_options o = {.label = a->label,
                                      .user_agent = a->user_agent,
                                      .proxy = "",
                                      .version = SC_HTTP_1_1,
                                      .connect_ms = METADATA_CONNECT_MS,
                                      .stall_s = METADATA_STALL_S,
                                      .connections_max = 1};
    int32_t rc = a->metadata ? SR_STORAGE_OK : sc_http_new(host, &o, &a->metadata, err);
    *ret = a->metadata;
    return rc;
}

int32_t sc_aws_sts_client(struct sc_aws *a, const struct sr_storage_host *host,
                          struct sc_http **ret, struct sc_error *err)
{
    const struct sc_http_options o = {.label = a->label,
                                      .user_agent = a->user_agent,
                                      .ca_file = a->ca_file,
                                      .ca_path = a->ca_path,
                                      .ca_setting = a->ca_setting,
                                      .connections_max = 1};
    int32_t rc = a->sts ? SR_STORAGE_OK : sc_http_new(host, &o, &a->sts, err);
    *ret = a->sts;
    return rc;
}

int32_t sc_aws_setting(const struct sr_storage_host *host, const char *key, char **ret,
                       struct sc_error *err)
{
    char *value = NULL;
    uint64_t cap = 256;
    for (;;) {
        char *grown = realloc(value, cap);
        if (!grown) {
            free(value);
            return sc_fail_memory(err);
        }
        value = grown;
        int64_t n = host->setting(host, key, value, cap);
        if (n >= 0 && (uint64_t)n < cap && n > 0) {
            *ret = value;
            return SR_STORAGE_OK;
        }
        if (n <= 0 || n >= SETTING_MAX) {
            free(value);
            *ret = NULL;
            if (n == 0 || n == -1)
                return SR_STORAGE_OK;
            return n < 0 ? sc_fail_setting(err, key)
                         : sc_fail(err, SR_STORAGE_E_CONFIG, "the setting %s is too long", key);
        }
        cap = (uint64_t)n + 1;
    }
}

int32_t sc_aws_setting_on(const struct sr_storage_host *host, const char *key, int *ret,
                          struct sc_error *err)
{
    _cleanup_free_ char *value = NULL;
    int32_t rc = sc_aws_setting(host, key, &value, err);
    if (rc == SR_STORAGE_OK)
        *ret = value && strcmp(value, "1") == 0;
    return rc;
}

/* A setting, or a file below home. */
static int32_t file_of(const struct sr_storage_host *host, const char *key, const char *below,
                       char **ret, struct sc_error *err)
{
    int32_t rc = sc_aws_setting(host, key, ret, err);
    _cleanup_free_ char *home = NULL;
    if (rc == SR_STORAGE_OK && !*ret)
        rc = sc_aws_setting(host, "home", &home, err);
    if (rc == SR_STORAGE_OK && !*ret && home && asprintf(ret, "%s/%s", home, below) < 0) {
        *ret = NULL;
        rc = sc_fail_memory(err);
    }
    return rc;
}

int32_t sc_aws_profiles_of(const struct sr_storage_host *host, struct sc_aws_profiles **ret,
                           struct sc_error *err)
{
    _cleanup_free_ char *credentials = NULL, *config = NULL;
    int32_t rc = file_of(host, "shared_credentials_file", ".aws/credentials", &credentials, err);
    if (rc == SR_STORAGE_OK)
        rc = file_of(host, "config_file", ".aws/config", &config, err);
    return rc == SR_STORAGE_OK ? sc_aws_profiles_load(credentials, config, ret, err) : rc;
}

/* --- the simple sources --- */

struct key_names {
    const char *id, *secret, *token;                /* keys of settings */
    const char *shown_id, *shown_secret, *shown_as; /* for people */
};

static int32_t secret_setting(const struct sr_storage_host *host, const char *key,
                              struct sc_secret *ret, struct sc_error *err)
{
    int32_t rc = sc_secret_setting(ret, host, key, err);
    return rc == SR_STORAGE_E_NOT_FOUND ? SR_STORAGE_OK : rc;
}

static int32_t from_keys(const struct sr_storage_host *host, const struct key_names *names,
                         struct sc_cred **ret, struct sc_error *err)
{
    _cleanup_free_ char *id = NULL;
    _cleanup_(sc_secret_done) struct sc_secret secret = SC_SECRET_INIT;
    _cleanup_(sc_secret_done) struct sc_secret token = SC_SECRET_INIT;
    int32_t rc = sc_aws_setting(host, names->id, &id, err);
    if (rc == SR_STORAGE_OK)
        rc = secret_setting(host, names->secret, &secret, err);
    if (rc == SR_STORAGE_OK)
        rc = secret_setting(host, names->token, &token, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (!id && secret.len == 0)
        return sc_fail(err, SR_STORAGE_E_NOT_FOUND, "%s and %s are not set", names->shown_id,
                       names->shown_secret);
    if (!id || secret.len == 0)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "%s is set without %s; set both or neither",
                       id ? names->shown_id : names->shown_secret,
                       id ? names->shown_secret : names->shown_id);
    rc = sc_aws_cred_new(id, sc_secret_bytes(&secret), sc_secret_bytes(&token), 0, ret, err);
    if (rc != SR_STORAGE_OK)
        return sc_error_wrap(err, "%s", names->shown_as);
    sc_aws_cred_source(*ret, "%s", names->shown_as);
    return SR_STORAGE_OK;
}

int32_t sc_aws_from_own_keys(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                             struct sc_error *err)
{
    static const struct key_names own = {"access_key_id",     "secret_access_key",
                                         "session_token",     "the setting access_key_id",
                                         "secret_access_key", "the store's own access_key_id"};
    (void)ctx;
    return from_keys(host, &own, ret, err);
}

int32_t sc_aws_from_environment(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                                struct sc_error *err)
{
    static const struct key_names environment = {"aws_access_key_id",     "aws_secret_access_key",
                                                 "aws_session_token",     "AWS_ACCESS_KEY_ID",
                                                 "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"};
    (void)ctx;
    return from_keys(host, &environment, ret, err);
}

int32_t sc_aws_from_web_identity(void *ctx, const struct sr_storage_host *host,
                                 struct sc_cred **ret, struct sc_error *err)
{
    _cleanup_free_ char *file = NULL, *arn = NULL, *session = NULL;
    int32_t rc = sc_aws_setting(host, "web_identity_token_file", &file, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_aws_setting(host, "role_arn", &arn, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_aws_setting(host, "role_session_name", &session, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (!file)
        return sc_fail(err, SR_STORAGE_E_NOT_FOUND, "AWS_WEB_IDENTITY_TOKEN_FILE is not set%s",
                       arn ? " (AWS_ROLE_ARN is, but takes effect only with it; for a role taken "
                             "with other credentials use a profile)"
                           : "");
    if (!arn)
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN; set both or "
                       "neither");
    const struct sc_aws_role role = {.arn = arn, .session_name = session};
    rc = sc_aws_sts_web_identity(ctx, host, &role, file, ret, err);
    if (rc == SR_STORAGE_OK)
        sc_aws_cred_source(*ret, "web identity, role %s", arn);
    return rc;
}

/* --- the chain --- */

static const struct {
    const char *choice; /* of the setting credentials; NULL: only in the whole chain */
    struct sc_provider provider;
} sources[] = {
    {"keys", {.name = "the store's own keys", .fetch = sc_aws_from_own_keys}},
    {"profile", {.name = "the store's own profile", .fetch = sc_aws_from_own_profile}},
    {"environment", {.name = "environment", .fetch = sc_aws_from_environment}},
    {"profile", {.name = "profile", .fetch = sc_aws_from_profile}},
    {"web-identity", {.name = "web identity", .fetch = sc_aws_from_web_identity}},
    {"container", {.name = "container", .fetch = sc_aws_from_container}},
    {"instance", {.name = "instance metadata", .fetch = sc_aws_from_imds}},
};

int32_t sc_aws_creds_new(const struct sr_storage_host *host, const struct sc_aws_options *options,
                         struct sc_creds **ret, struct sc_error *err)
{
    _cleanup_free_ char *choice = NULL;
    const struct sc_creds_options times = {.advisory_s = SC_AWS_ADVISORY_S,
                                           .mandatory_s = SC_AWS_MANDATORY_S,
                                           .offset =
                                               options->clock ? &options->clock->offset : NULL};
    int32_t rc = sc_aws_setting(host, "credentials", &choice, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    struct sc_creds *creds = NULL;
    struct sc_aws *a = shared_new(options);
    rc = a ? sc_creds_new(&times, &creds, err) : sc_fail_memory(err);
    size_t added = 0;
    for (size_t i = 0; i < sizeof sources / sizeof *sources && rc == SR_STORAGE_OK; i++) {
        if (choice && strcmp(choice, "auto") != 0 && strcmp(choice, sources[i].choice) != 0)
            continue;
        struct sc_provider p = sources[i].provider;
        p.free = release;
        p.ctx = a;
        a->refs++;
        added++;
        rc = sc_creds_add(creds, &p, err);
    }
    if (a)
        release(a);
    if (rc == SR_STORAGE_OK && added == 0)
        rc = sc_fail(err, SR_STORAGE_E_CONFIG, "the setting credentials is '%s': no such source",
                     choice);
    if (rc == SR_STORAGE_OK)
        *ret = creds;
    else
        sc_creds_free(creds);
    return rc;
}
