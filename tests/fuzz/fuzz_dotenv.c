/* .env files: whatever is read can be written as quoted lines and read back the same. */
#include "config.h"
#include "core/config/dotenv.h"
#include "core/util/buf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read, as lines that any shell would read too. */
static int quote(void *ctx, const char *name, const char *value, unsigned line,
                 struct sr_error *err)
{
    struct sr_buf *out = ctx;
    (void)line;
    (void)sr_buf_printf(out, "%s=\"", name);
    for (; *value; value++) {
        if (*value == '"' || *value == '\\' || *value == '$')
            (void)sr_buf_addc(out, '\\');
        if (*value == '\n')
            (void)sr_buf_adds(out, "\\n");
        else
            (void)sr_buf_addc(out, *value);
    }
    return sr_buf_adds(out, "\"\n") == SR_OK ? SR_OK : sr_fail(err, SR_E_NO_SPACE, "full");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf once, twice;
    sr_buf_init(&once, SR_DOTENV_MAX);
    sr_buf_init(&twice, SR_DOTENV_MAX);
    if (sr_dotenv_parse("f", (const char *)data, size, quote, &once, &err) == SR_OK) {
        if (sr_dotenv_parse("f", sr_buf_str(&once), once.len, quote, &twice, &err) != SR_OK ||
            strcmp(sr_buf_str(&once), sr_buf_str(&twice)) != 0)
            abort();
    } else if (err.code == SR_OK || !*err.text) {
        abort();
    }
    sr_buf_done(&once);
    sr_buf_done(&twice);
    return 0;
}
