/* Where AWS credentials come from: the chain of sources, in one documented order.
 *
 *     struct sc_aws_clock clock = SC_AWS_CLOCK_INIT;
 *     struct sc_aws_options options = {.label = "s3", .clock = &clock};
 *     struct sc_creds *creds = NULL;
 *     sc_aws_creds_new(host, &options, &creds, &err)
 *     sign with common/aws_signer.h, which asks creds before each try
 *     sc_creds_source(creds, text, sizeof text)       for doctor: which one it was
 *     sc_creds_free(creds)
 *
 * The plugin's table of settings holds the rows of common/aws_settings.h; nothing is read from the
 * environment but through them. The order:
 *
 *     1. the store's own keys               access_key_id, secret_access_key, session_token
 *     2. the store's own profile            profile
 *     3. the environment's keys             AWS_ACCESS_KEY_ID, ...
 *     4. AWS_PROFILE, or profile "default"  keys, credential_process, role_arn
 *     5. web identity                       AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN
 *     6. the container's agent              AWS_CONTAINER_CREDENTIALS_*
 *     7. the instance's metadata service    IMDSv2
 *
 * A source that is set up but fails ends the search with its error: the next one would be another
 * account. A source is set up when one of its settings is; one of a pair alone is an error. Files
 * (tokens, profiles) are read anew at each renewal. Called on the thread of the call, as
 * host->setting demands. */
#ifndef SC_AWS_H
#define SC_AWS_H

#include "common/aws_clock.h"
#include "common/creds.h"

struct sc_aws_options {
    const char *label;      /* the store, for logs; copied, as all strings here */
    const char *user_agent; /* NULL: the client's own */
    const char *ca_file, *ca_path, *ca_setting; /* for STS: as in struct sc_http_options */
    struct sc_aws_clock *clock; /* the handle's, which outlives the chain; or NULL */
};

/* A renewal is tried so long before the end, and in haste so long before it. */
#define SC_AWS_ADVISORY_S 900
#define SC_AWS_MANDATORY_S 600

/* E_CONFIG when the setting credentials names a source that does not exist. The caller frees with
 * sc_creds_free, while host still lives. */
int32_t sc_aws_creds_new(const struct sr_storage_host *host, const struct sc_aws_options *options,
                         struct sc_creds **ret, struct sc_error *err);

/* The region by setting (AWS_REGION, AWS_DEFAULT_REGION) or, failing that, of the profile in use;
 * malloc'd, NULL when neither says. */
int32_t sc_aws_region(const struct sr_storage_host *host, char **ret, struct sc_error *err);

#endif
