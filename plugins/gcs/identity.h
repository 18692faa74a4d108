/* Who we are to Google: the sources of credentials, in the order that Google's own tools ask them.
 *
 *     const struct gcs_identity_options o = {.label = "gcs", .clock = &clock};
 *     struct sc_creds *creds = NULL;
 *     gcs_identity_new(host, &o, &creds, &err)       *creds NULL: the setting says none
 *     sc_creds_get(creds, host, &cred, &err)          cred->token is a bearer token
 *     sc_creds_free(creds)
 *
 *     1. the file of GOOGLE_APPLICATION_CREDENTIALS   set but unreadable is an error
 *     2. gcloud's default file                        application_default_credentials.json
 *     3. the metadata server of the machine
 *
 * A source that is set up but fails ends the search: the next one would be another account. Files
 * are read anew at each renewal. The kinds of files: service_account, authorized_user,
 * external_account (from a file or a URL), impersonated_service_account; others are named, not
 * guessed at. What a file says is not trusted with more than its own secrets: its URLs must be
 * https or on this machine (or, as the source of a token, Azure's metadata service), texts are
 * bounded, and nothing in it is run. "Application Default
 * Credentials" and AIP-4110 to 4118 in Google's documentation. */
#ifndef GCS_IDENTITY_H
#define GCS_IDENTITY_H

#include "common/aws_clock.h"
#include "common/creds.h"
#include "common/json.h"

#define GCS_SCOPE "https://www.googleapis.com/auth/devstorage.read_write"
#define GCS_SCOPE_ALL "https://www.googleapis.com/auth/cloud-platform"
#define GCS_FILE_MAX 65536 /* bytes of a credentials file */
#define GCS_TOKEN_MAX 65536

struct gcs_identity_options {
    const char *label;                /* the store, for logs; copied, as all strings here */
    const char *ca_file, *ca_setting; /* for token endpoints: as in struct sc_http_options */
    struct sc_aws_clock *clock;       /* the handle's, which outlives the chain */
};

/* A renewal is tried so long before the end, and in haste so long before it: as Google's
 * libraries do, which never see a token die under a request. */
#define GCS_ADVISORY_S 300
#define GCS_MANDATORY_S 120

int32_t gcs_identity_new(const struct sr_storage_host *host, const struct gcs_identity_options *o,
                         struct sc_creds **ret, struct sc_error *err);

/* --- for identity*.c alone ------------------------------------------------------------------- */

/* Shared by the providers; its clients are made when first used. */
struct gcs_identity {
    unsigned refs;
    char *label, *ca_file, *ca_setting;
    struct sc_aws_clock *clock;
    struct sc_http *metadata; /* no proxy, seconds */
    struct sc_http *token;
};

int32_t gcs_identity_client(struct gcs_identity *a, const struct sr_storage_host *host,
                            struct sc_http **ret, struct sc_error *err);
/* For metadata services: no proxy, little patience. */
int32_t gcs_identity_metadata(struct gcs_identity *a, const struct sr_storage_host *host,
                              struct sc_http **ret, struct sc_error *err);
/* Each source: E_NOT_FOUND, with the reason as its message, when it is not set up. */
int32_t gcs_from_file(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                      struct sc_error *err);
int32_t gcs_from_gcloud(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                        struct sc_error *err);
int32_t gcs_from_metadata(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                          struct sc_error *err);

/* A credentials file, judged (pure): what kind it is and whether what it needs is there. */
enum gcs_kind { GCS_KIND_SERVICE, GCS_KIND_USER, GCS_KIND_EXTERNAL, GCS_KIND_IMPERSONATED };
struct gcs_file {
    enum gcs_kind kind;
    /* All borrowed from the JSON; NULL: not there. */
    const char *email, *key_id, *key;                      /* service */
    const char *client_id, *client_secret, *refresh_token; /* user; external may have the first */
    const char *token_url;                                 /* where the token is asked for */
    const char *audience, *subject_type;                   /* external */
    const char *source_file, *source_url, *source_field;   /* field: of JSON; NULL: all is token */
    int source_metadata; /* source_url is a metadata service's: no proxy, and no https */
    const json_t *source_headers;
    const char *user_project;
    const char *impersonation_url;    /* impersonated; external may have one */
    const json_t *delegates, *source; /* impersonated */
    uint64_t lifetime;
};
/* E_CONFIG names what is missing or not supported, never a value. */
int32_t gcs_file_read(const json_t *v, const char *path, struct gcs_file *ret,
                      struct sc_error *err);
/* Whether a URL out of a file may be asked: https, or this machine; no user, no fragment. what: its
 * name in the file. */
int32_t gcs_file_url_check(const char *url, const char *what, const char *path,
                           struct sc_error *err);

/* Tokens for what a file holds, with the scope given; the source's name is set by the caller. */
int32_t gcs_token_service(struct gcs_identity *a, const struct sr_storage_host *host,
                          const struct gcs_file *f, const char *scope, struct sc_cred **ret,
                          struct sc_error *err);
int32_t gcs_token_user(struct gcs_identity *a, const struct sr_storage_host *host,
                       const struct gcs_file *f, struct sc_cred **ret, struct sc_error *err);
int32_t gcs_token_external(struct gcs_identity *a, const struct sr_storage_host *host,
                           const struct gcs_file *f, const char *scope, struct sc_cred **ret,
                           struct sc_error *err);
/* The token of another account, by the right of base's. */
int32_t gcs_token_impersonate(struct gcs_identity *a, const struct sr_storage_host *host,
                              const struct gcs_file *f, const struct sc_cred *base,
                              struct sc_cred **ret, struct sc_error *err);
/* A small text file, bounded and wiped; E_CONFIG, or E_NOT_FOUND when there is none. */
int32_t gcs_file_load(const char *path, size_t max, struct sc_buf *ret, struct sc_error *err);

#endif
