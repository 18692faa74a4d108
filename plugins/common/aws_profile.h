/* The two files of the AWS command line: profiles of ~/.aws/credentials and ~/.aws/config.
 *
 *     _cleanup_(sc_aws_profiles_freep) struct sc_aws_profiles *p = NULL;
 *     sc_aws_profiles_load(credentials_path, config_path, &p, &err)
 *     role = sc_aws_profile_get(p, "backup", "role_arn");
 *     sc_aws_profile_keys(p, "backup", &keys, &err);
 *
 * The config file says [profile x] (only [default] goes without the word), the credentials file
 * [x]. Where both have a key, the credentials file wins; within one file the later line does, and
 * [profile default] wins over [default]. Names of keys are lower-cased. As in the AWS command line
 * "=" or ":" ends a name, "#" and ";" begin a comment only at the start of a line, and an indented
 * line goes on with the value above it. Other sections ([sso-session x], [services x]) are passed
 * over.
 *
 * What is read is hostile: a file has at most SC_AWS_PROFILE_FILE_MAX bytes and no NUL, and a line
 * that is neither section, pair nor comment is an error, told by its number, since a line may be a
 * secret. Everything is overwritten when it is freed. The set is immutable once loaded; texts live
 * until sc_aws_profiles_free. Any thread. */
#ifndef SC_AWS_PROFILE_H
#define SC_AWS_PROFILE_H

#include "common/cleanup.h"
#include "common/error.h"

#include <stddef.h>

#define SC_AWS_PROFILE_FILE_MAX ((size_t)1 << 20)
/* Of a value that goes on over indented lines. */
#define SC_AWS_PROFILE_VALUE_MAX 16384

enum sc_aws_file { SC_AWS_FILE_CONFIG, SC_AWS_FILE_CREDENTIALS };

struct sc_aws_profiles;

/* An empty set; NULL without memory. */
struct sc_aws_profiles *sc_aws_profiles_new(void);
/* Adds what text says. path is for messages. E_CONFIG names path and line. */
int32_t sc_aws_profiles_parse(struct sc_aws_profiles *p, enum sc_aws_file file, const char *path,
                              const char *text, size_t len, struct sc_error *err);
/* Reads both; a path that is NULL, or where nothing is, counts as an empty file. What is there and
 * cannot be read is an error. */
int32_t sc_aws_profiles_load(const char *credentials, const char *config,
                             struct sc_aws_profiles **ret, struct sc_error *err);
void sc_aws_profiles_free(struct sc_aws_profiles *p); /* NULL is fine */
SC_DEFINE_CLEANUP(struct sc_aws_profiles *, sc_aws_profiles_free);

/* Nonzero when one of the files has that profile. */
int sc_aws_profile_exists(const struct sc_aws_profiles *p, const char *profile);
/* Nonzero when the config file has [x] where it would have to say [profile x]. */
int sc_aws_profile_is_misnamed(const struct sc_aws_profiles *p, const char *profile);
/* The value, which may be ""; NULL when the profile has no such key. */
const char *sc_aws_profile_get(const struct sc_aws_profiles *p, const char *profile,
                               const char *key);
/* The profile's first key that begins with prefix; NULL: none. */
const char *sc_aws_profile_key_like(const struct sc_aws_profiles *p, const char *profile,
                                    const char *prefix);

struct sc_aws_profile_keys {
    const char *id, *secret;
    const char *token; /* NULL: none */
    const char *path;  /* of the file they stand in */
};

/* The long-lived keys of a profile, all from one file, since halves of two files make no pair.
 * E_NOT_FOUND when it has none, E_CONFIG when it has one of the two. */
int32_t sc_aws_profile_keys(const struct sc_aws_profiles *p, const char *profile,
                            struct sc_aws_profile_keys *ret, struct sc_error *err);

#endif
