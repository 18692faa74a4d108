/* Connection strings: nothing crashes, and no message repeats what stands where a password may. */
#include "config.h"
#include "core/source/pg_params.h"
#include "core/util/log.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_text(const char *text)
{
    struct sr_pg_params p = {0};
    struct sr_error err = SR_ERROR_INIT;
    int rc = sr_pg_params_from_text(text, "URL", &p, &err);
    if ((rc == SR_OK) != (err.code == SR_OK) || p.keys.len != p.values.len)
        abort();
    for (size_t i = 0; i < p.values.len; i++)
        if (!p.values.items[i][0])
            abort();
    sr_pg_params_done(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char marker[] = "qJ7wZx";
    char *text = malloc(size + 1);
    sr_log_setup(SR_LOG_ERROR, SR_LOG_TEXT);
    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    read_text(text);
    /* The input as a password, with something to recognise in it. */
    size_t len = strlen(text);
    char *url = malloc(len + 64);
    if (!url)
        abort();
    struct sr_pg_params p = {0};
    struct sr_error err = SR_ERROR_INIT;
    (void)sprintf(url, "postgresql://user:%s%s@host/db", marker, text);
    if (sr_pg_params_from_text(url, "URL", &p, &err) != SR_OK && strstr(err.text, marker))
        abort();
    sr_pg_params_done(&p);
    free(url);
    free(text);
    return 0;
}
