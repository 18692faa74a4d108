#include "common/aws_private.h"
#include "common/aws_profile.h"

#include <stdio.h>
#include <string.h>

#define CHAIN_MAX 8 /* profiles that lead to one another */

/* The way from the profile in use to the keys at its end. */
struct walk {
    struct sc_aws *aws;
    const struct sr_storage_host *host;
    const struct sc_aws_profiles *profiles;
    const char *visited[CHAIN_MAX];
    size_t len;
};

static int32_t walk_to(struct walk *w, const char *profile, struct sc_cred **ret,
                       struct sc_error *err);

/* Below a profile nothing may count as "not set up": the next source would be another account. */
static int32_t must_be_there(int32_t rc, struct sc_error *err)
{
    if (rc == SR_STORAGE_E_NOT_FOUND) {
        rc = SR_STORAGE_E_CONFIG;
        if (err)
            err->code = rc;
    }
    return rc;
}

static int32_t from_keys(const struct walk *w, const char *profile, struct sc_cred **ret,
                         struct sc_error *err)
{
    struct sc_aws_profile_keys keys;
    int32_t rc = sc_aws_profile_keys(w->profiles, profile, &keys, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    rc = sc_aws_cred_new(keys.id, keys.secret, keys.token, 0, ret, err);
    if (rc != SR_STORAGE_OK)
        return sc_error_wrap(err, "profile '%s' of %s", profile, keys.path);
    sc_aws_cred_source(*ret, "profile '%s' of %s", profile, keys.path);
    return SR_STORAGE_OK;
}

/* What would need a browser, or a person at the keyboard. */
static int32_t refuse_interactive(const struct walk *w, const char *profile, struct sc_error *err)
{
    static const char *const prefixes[] = {"sso_", "login_"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        const char *key = sc_aws_profile_key_like(w->profiles, profile, prefixes[i]);
        if (key)
            return sc_fail(err, SR_STORAGE_E_UNSUPPORTED,
                           "profile '%s' has %s: signing in through a browser is not supported; "
                           "use keys, a role, or `credential_process = aws configure "
                           "export-credentials --profile %s` in a profile of its own",
                           profile, key, profile);
    }
    return SR_STORAGE_OK;
}

static int32_t from_named_source(struct walk *w, const char *profile, const char *name,
                                 struct sc_cred **ret, struct sc_error *err)
{
    static const struct {
        const char *name;
        int32_t (*fetch)(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                         struct sc_error *err);
    } sources[] = {{"Environment", sc_aws_from_environment},
                   {"Ec2InstanceMetadata", sc_aws_from_imds},
                   {"EcsContainer", sc_aws_from_container}};
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        if (strcmp(sources[i].name, name) != 0)
            continue;
        int32_t rc = sources[i].fetch(w->aws, w->host, ret, err);
        return rc == SR_STORAGE_OK
                   ? rc
                   : must_be_there(
                         sc_error_wrap(err, "profile '%s', credential_source %s", profile, name),
                         err);
    }
    return sc_fail(err, SR_STORAGE_E_CONFIG,
                   "profile '%s' has credential_source '%s': must be Environment, "
                   "Ec2InstanceMetadata or EcsContainer",
                   profile, name);
}

/* The credentials with which a role is taken. */
static int32_t from_source(struct walk *w, const char *profile, struct sc_cred **ret,
                           struct sc_error *err)
{
    const char *source = sc_aws_profile_get(w->profiles, profile, "source_profile");
    const char *named = sc_aws_profile_get(w->profiles, profile, "credential_source");
    if (!source == !named)
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "profile '%s' has role_arn and %s source_profile %s credential_source; it "
                       "needs one of them",
                       profile, named ? "both" : "neither", named ? "and" : "nor");
    if (named)
        return from_named_source(w, profile, named, ret, err);
    struct sc_aws_profile_keys keys;
    int32_t rc = sc_aws_profile_keys(w->profiles, source, &keys, err);
    /* Keys of the source go before a role of it: so may a profile be its own source. */
    if (rc != SR_STORAGE_E_NOT_FOUND)
        return rc == SR_STORAGE_OK ? from_keys(w, source, ret, err) : rc;
    rc = walk_to(w, source, ret, err);
    return rc == SR_STORAGE_OK
               ? rc
               : must_be_there(
                     sc_error_wrap(err, "profile '%s', source_profile '%s'", profile, source), err);
}

static int32_t from_role(struct walk *w, const char *profile, const char *arn, struct sc_cred **ret,
                         struct sc_error *err)
{
    const char *token_file = sc_aws_profile_get(w->profiles, profile, "web_identity_token_file");
    _cleanup_free_ char *region = NULL, *session = NULL;
    _cleanup_(sc_cred_unrefp) struct sc_cred *with = NULL;
    if (sc_aws_profile_get(w->profiles, profile, "mfa_serial"))
        return sc_fail(err, SR_STORAGE_E_UNSUPPORTED,
                       "profile '%s' has mfa_serial: nobody is there to type a code; use a role "
                       "that needs none",
                       profile);
    int32_t rc = sc_aws_setting(w->host, "region", &region, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_aws_setting(w->host, "role_session_name", &session, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    const char *own_session = sc_aws_profile_get(w->profiles, profile, "role_session_name");
    const struct sc_aws_role role = {
        .arn = arn,
        .session_name = own_session ? own_session : session,
        .external_id = sc_aws_profile_get(w->profiles, profile, "external_id"),
        .duration = sc_aws_profile_get(w->profiles, profile, "duration_seconds"),
        .region = region ? region : sc_aws_profile_get(w->profiles, profile, "region"),
    };
    if (token_file) {
        rc = sc_aws_sts_web_identity(w->aws, w->host, &role, token_file, ret, err);
    } else {
        rc = from_source(w, profile, &with, err);
        if (rc == SR_STORAGE_OK)
            rc = sc_aws_sts_assume(w->aws, w->host, &role, with, ret, err);
    }
    if (rc == SR_STORAGE_OK)
        sc_aws_cred_source(*ret, "profile '%s', role %s", profile, arn);
    return rc;
}

static int32_t from_process(const struct walk *w, const char *profile, const char *command,
                            struct sc_cred **ret, struct sc_error *err)
{
    int32_t rc = sc_aws_process_run(w->host, command, ret, err);
    if (rc != SR_STORAGE_OK)
        return must_be_there(sc_error_wrap(err, "profile '%s'", profile), err);
    char program[sizeof(*ret)->source];
    (void)snprintf(program, sizeof program, "%s", (*ret)->source);
    sc_aws_cred_source(*ret, "profile '%s', %s", profile, program);
    return SR_STORAGE_OK;
}

/* Roles first, then keys, then a process, as the AWS command line has it. E_NOT_FOUND where the
 * profile has nothing of all that. */
static int32_t walk_to(struct walk *w, const char *profile, struct sc_cred **ret,
                       struct sc_error *err)
{
    if (!sc_aws_profile_exists(w->profiles, profile))
        return sc_fail(err, SR_STORAGE_E_CONFIG, "there is no profile '%s'%s", profile,
                       sc_aws_profile_is_misnamed(w->profiles, profile)
                           ? "; the config file has a section of that name, which must be called "
                             "[profile NAME] there"
                           : " in the files of profiles");
    for (size_t i = 0; i < w->len; i++)
        if (strcmp(w->visited[i], profile) == 0)
            return sc_fail(err, SR_STORAGE_E_CONFIG,
                           "the source_profile of '%s' leads back to profile '%s'",
                           w->visited[w->len - 1], profile);
    if (w->len == CHAIN_MAX)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "more than %d profiles lead to one another",
                       CHAIN_MAX);
    w->visited[w->len++] = profile;
    const char *arn = sc_aws_profile_get(w->profiles, profile, "role_arn");
    if (arn)
        return from_role(w, profile, arn, ret, err);
    int32_t rc = refuse_interactive(w, profile, err);
    if (rc == SR_STORAGE_OK)
        rc = from_keys(w, profile, ret, err);
    const char *command = sc_aws_profile_get(w->profiles, profile, "credential_process");
    if (rc == SR_STORAGE_E_NOT_FOUND && command)
        rc = from_process(w, profile, command, ret, err);
    return rc;
}

static int32_t resolve(struct sc_aws *a, const struct sr_storage_host *host,
                       const struct sc_aws_profiles *profiles, const char *profile,
                       struct sc_cred **ret, struct sc_error *err)
{
    struct walk w = {.aws = a, .host = host, .profiles = profiles};
    return walk_to(&w, profile, ret, err);
}

int32_t sc_aws_from_own_profile(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                                struct sc_error *err)
{
    _cleanup_free_ char *profile = NULL;
    _cleanup_(sc_aws_profiles_freep) struct sc_aws_profiles *profiles = NULL;
    int32_t rc = sc_aws_setting(host, "profile", &profile, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (!profile)
        return sc_fail(err, SR_STORAGE_E_NOT_FOUND, "the setting profile is not set");
    rc = sc_aws_profiles_of(host, &profiles, err);
    return rc == SR_STORAGE_OK ? must_be_there(resolve(ctx, host, profiles, profile, ret, err), err)
                               : rc;
}

int32_t sc_aws_from_profile(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                            struct sc_error *err)
{
    _cleanup_free_ char *profile = NULL;
    _cleanup_(sc_aws_profiles_freep) struct sc_aws_profiles *profiles = NULL;
    int32_t rc = sc_aws_setting(host, "aws_profile", &profile, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_aws_profiles_of(host, &profiles, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    const char *name = profile ? profile : "default";
    if (strcmp(name, "default") == 0 && !sc_aws_profile_exists(profiles, name))
        return sc_fail(err, SR_STORAGE_E_NOT_FOUND, "there is no profile 'default'");
    return resolve(ctx, host, profiles, name, ret, err);
}

int32_t sc_aws_region(const struct sr_storage_host *host, char **ret, struct sc_error *err)
{
    _cleanup_free_ char *profile = NULL;
    _cleanup_(sc_aws_profiles_freep) struct sc_aws_profiles *profiles = NULL;
    int32_t rc = sc_aws_setting(host, "region", ret, err);
    if (rc != SR_STORAGE_OK || *ret)
        return rc;
    rc = sc_aws_setting(host, "profile", &profile, err);
    if (rc == SR_STORAGE_OK && !profile)
        rc = sc_aws_setting(host, "aws_profile", &profile, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_aws_profiles_of(host, &profiles, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    const char *region = sc_aws_profile_get(profiles, profile ? profile : "default", "region");
    if (region && *region && !(*ret = strdup(region)))
        return sc_fail_memory(err);
    return SR_STORAGE_OK;
}
