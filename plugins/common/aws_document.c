#include "common/aws_private.h"
#include "common/json.h"
#include "common/timefmt.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- credentials as a value --- */

/* Every part goes into a header; a line break must never get there. */
static int32_t check_part(const char *what, const char *text, size_t max, struct sc_error *err)
{
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == 127)
            return sc_fail(err, SR_STORAGE_E_CONFIG,
                           "the %s has a blank or a control character (a line break?) in it", what);
    if (strlen(text) >= max)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "the %s is longer than %zu bytes", what, max - 1);
    return SR_STORAGE_OK;
}

int32_t sc_aws_cred_new(const char *id, const char *secret, const char *token, int64_t expires,
                        struct sc_cred **ret, struct sc_error *err)
{
    if (!id || !*id || !secret || !*secret)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "the %s is missing",
                       id && *id ? "secret access key" : "access key id");
    if (!token)
        token = "";
    _cleanup_(sc_cred_unrefp) struct sc_cred *c = sc_cred_new();
    if (!c)
        return sc_fail_memory(err);
    int32_t rc = check_part("access key id", id, sizeof c->id, err);
    if (rc == SR_STORAGE_OK)
        rc = check_part("secret access key", secret, SC_SECRET_MAX, err);
    if (rc == SR_STORAGE_OK)
        rc = check_part("session token", token, SC_SECRET_MAX, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_secret_set(&c->secret, secret, strlen(secret), err);
    if (rc == SR_STORAGE_OK && *token)
        rc = sc_secret_set(&c->token, token, strlen(token), err);
    if (rc != SR_STORAGE_OK)
        return rc;
    memcpy(c->id, id, strlen(id) + 1);
    c->expires = expires;
    *ret = sc_steal_ptr(c);
    return SR_STORAGE_OK;
}

void sc_aws_cred_source(struct sc_cred *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(c->source, sizeof c->source, fmt, ap);
    va_end(ap);
}

/* --- the answer --- */

static int32_t missing(const char *who, const char *name, struct sc_error *err)
{
    return sc_fail(err, SR_STORAGE_E_CORRUPT, "%s gave credentials without a text %s", who, name);
}

/* What an answer says of itself: a version, or a failure in the guise of an answer. */
static int32_t check_answer(enum sc_aws_dialect dialect, const char *who, const json_t *v,
                            struct sc_error *err)
{
    if (dialect == SC_AWS_DIALECT_PROCESS) {
        const json_t *version = json_object_get(v, "Version");
        if (!json_is_integer(version) || json_integer_value(version) != 1)
            return sc_fail(err, SR_STORAGE_E_CORRUPT,
                           "%s must print \"Version\": 1, the one version there is", who);
        return SR_STORAGE_OK;
    }
    const char *code = sc_json_text(v, "Code"), *message = sc_json_text(v, "Message");
    if ((code && strcmp(code, "Success") != 0) || (!code && dialect == SC_AWS_DIALECT_IMDS))
        return sc_fail(err, SR_STORAGE_E_DENIED, "%s gave no credentials: %.128s%s%.512s", who,
                       code ? code : "no Code in its answer", message ? ": " : "",
                       message ? message : "");
    return SR_STORAGE_OK;
}

int32_t sc_aws_document_parse(enum sc_aws_dialect dialect, const char *who, const char *text,
                              size_t len, struct sc_cred **ret, struct sc_error *err)
{
    _cleanup_(sc_json_wipe) json_t *v = NULL;
    int32_t rc = sc_json_read(who, text, len, SC_AWS_DOCUMENT_MAX, &v, err);
    if (rc == SR_STORAGE_OK)
        rc = check_answer(dialect, who, v, err);
    if (rc != SR_STORAGE_OK)
        return rc;

    const char *token_name = dialect == SC_AWS_DIALECT_PROCESS ? "SessionToken" : "Token";
    const char *token = sc_json_text(v, token_name), *end = sc_json_text(v, "Expiration");
    const char *id = sc_json_text(v, "AccessKeyId"), *secret = sc_json_text(v, "SecretAccessKey");
    if (!id || !secret)
        return missing(who, id ? "SecretAccessKey" : "AccessKeyId", err);
    if (!token && (dialect != SC_AWS_DIALECT_PROCESS || json_object_get(v, token_name)))
        return missing(who, token_name, err);
    if (!end && (dialect != SC_AWS_DIALECT_PROCESS || json_object_get(v, "Expiration")))
        return missing(who, "Expiration", err);
    int64_t expires = 0;
    if (end && (sc_time_iso_parse(end, &expires) != 0 || expires <= 0))
        return sc_fail(err, SR_STORAGE_E_CORRUPT,
                       "%s gave credentials whose Expiration is no time such as "
                       "2026-11-21T10:00:00Z",
                       who);
    rc = sc_aws_cred_new(id, secret, token, expires, ret, err);
    if (rc == SR_STORAGE_E_CONFIG)
        rc = (sc_error_wrap(err, "%s gave credentials that cannot be used", who),
              SR_STORAGE_E_CORRUPT);
    if (rc == SR_STORAGE_E_CORRUPT && err)
        err->code = rc;
    return rc;
}
