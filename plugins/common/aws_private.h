/* What the sources of AWS credentials share; for plugins/common/aws_*.c alone.
 *
 *     aws_chain.c      their order, what is common to them, and the simple ones
 *     aws_role.c       what a profile leads to: keys, a process, a role taken with others
 *     aws_process.c    credential_process
 *     aws_sts.c        AssumeRole, AssumeRoleWithWebIdentity
 *     aws_container.c  ECS, EKS Pod Identity
 *     aws_imds.c       the instance's metadata service
 *     aws_document.c   the JSON that the last two and processes speak
 */
#ifndef SC_AWS_PRIVATE_H
#define SC_AWS_PRIVATE_H

#include "common/aws.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/secret.h"

#define SC_AWS_DOCUMENT_MAX 65536 /* bytes of a credentials answer */

/* Shared by the providers of one chain; its clients are made when first used. */
struct sc_aws {
    unsigned refs;
    char *label, *user_agent, *ca_file, *ca_path, *ca_setting;
    struct sc_aws_clock *clock;
    struct sc_http *metadata; /* no proxy, seconds */
    struct sc_http *sts;
};

int32_t sc_aws_metadata_client(struct sc_aws *a, const struct sr_storage_host *host,
                               struct sc_http **ret, struct sc_error *err);
int32_t sc_aws_sts_client(struct sc_aws *a, const struct sr_storage_host *host,
                          struct sc_http **ret, struct sc_error *err);

/* The value of a setting, malloc'd; *ret is NULL when it is unset. */
int32_t sc_aws_setting(const struct sr_storage_host *host, const char *key, char **ret,
                       struct sc_error *err);
/* A BOOL's. */
int32_t sc_aws_setting_on(const struct sr_storage_host *host, const char *key, int *ret,
                          struct sc_error *err);

/* A set of credentials whose every part can stand in a header. token NULL or "": none; expires 0:
 * never. E_CONFIG names the part, never its value. */
int32_t sc_aws_cred_new(const char *id, const char *secret, const char *token, int64_t expires,
                        struct sc_cred **ret, struct sc_error *err);
/* Says where it came from; what is too long is cut, since it is for people alone. */
void sc_aws_cred_source(struct sc_cred *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Loads the profiles that the settings point to. */
struct sc_aws_profiles;
int32_t sc_aws_profiles_of(const struct sr_storage_host *host, struct sc_aws_profiles **ret,
                           struct sc_error *err);

/* The sources: each returns E_NOT_FOUND, with the reason as its message, when it is not set up. */

int32_t sc_aws_from_own_keys(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                             struct sc_error *err);
int32_t sc_aws_from_environment(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                                struct sc_error *err);
int32_t sc_aws_from_own_profile(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                                struct sc_error *err);
int32_t sc_aws_from_profile(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                            struct sc_error *err);
int32_t sc_aws_from_web_identity(void *ctx, const struct sr_storage_host *host,
                                 struct sc_cred **ret, struct sc_error *err);
int32_t sc_aws_from_container(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                              struct sc_error *err);
int32_t sc_aws_from_imds(void *ctx, const struct sr_storage_host *host, struct sc_cred **ret,
                         struct sc_error *err);

/* Their parts. */

enum sc_aws_dialect { SC_AWS_DIALECT_PROCESS, SC_AWS_DIALECT_CONTAINER, SC_AWS_DIALECT_IMDS };

/* Reads a JSON answer; who is for messages. E_CORRUPT, or E_DENIED where it says so itself. */
int32_t sc_aws_document_parse(enum sc_aws_dialect dialect, const char *who, const char *text,
                              size_t len, struct sc_cred **ret, struct sc_error *err);

/* Splits a command as the AWS command line does: blanks, '...', "..." and backslashes, nothing
 * else. *ret is an array ended by NULL, freed with sc_aws_words_free. E_CONFIG. */
int32_t sc_aws_words_split(const char *command, char ***ret, struct sc_error *err);
void sc_aws_words_free(char **words);
/* Runs a credential_process and reads what it prints. */
int32_t sc_aws_process_run(const struct sr_storage_host *host, const char *command,
                           struct sc_cred **ret, struct sc_error *err);

struct sc_aws_role {
    const char *arn;
    const char *session_name; /* NULL: "strongroom" */
    const char *external_id;  /* NULL: none */
    const char *duration;     /* seconds as text; NULL: the role's own */
    const char *region;       /* NULL: the setting's */
};

/* Takes the role with the credentials given. */
int32_t sc_aws_sts_assume(struct sc_aws *a, const struct sr_storage_host *host,
                          const struct sc_aws_role *role, const struct sc_cred *with,
                          struct sc_cred **ret, struct sc_error *err);
/* Takes the role with the token in that file. */
int32_t sc_aws_sts_web_identity(struct sc_aws *a, const struct sr_storage_host *host,
                                const struct sc_aws_role *role, const char *token_file,
                                struct sc_cred **ret, struct sc_error *err);
/* The host name of STS for a region, and the region that signs there; pure. */
int32_t sc_aws_sts_host(const char *region, int legacy, struct sc_buf *ret,
                        const char **ret_region);

/* What the two settings lead to; pure. E_CONFIG for a place that is not the agent of a container.
 */
int32_t sc_aws_container_url(const char *relative, const char *full, struct sc_buf *ret,
                             struct sc_error *err);

#endif
