/* Credentials as JSON, in the three dialects: what is taken can stand in a header; what is refused
 * says why. */
#include "common/aws_private.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_clean(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s <= ' ' || *s == 127)
            return 0;
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum sc_aws_dialect dialects[] = {SC_AWS_DIALECT_PROCESS, SC_AWS_DIALECT_CONTAINER,
                                                   SC_AWS_DIALECT_IMDS};
    for (size_t i = 0; i < 3; i++) {
        struct sc_error err = SC_ERROR_INIT;
        struct sc_cred *c = NULL;
        int32_t rc = sc_aws_document_parse(dialects[i], "F", (const char *)data, size, &c, &err);
        if (rc == SR_STORAGE_OK ? !*c->id || c->secret.len == 0 || !is_clean(c->id) ||
                                      !is_clean(sc_secret_bytes(&c->secret)) ||
                                      !is_clean(sc_secret_bytes(&c->token))
                                : c || err.code != rc || !*err.text)
            abort();
        sc_cred_unref(c);
    }
    return 0;
}
