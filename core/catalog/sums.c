#include "config.h"
#include "core/catalog/sums.h"

#include <string.h>

#define DIGITS 64

int sr_sums_add(struct sr_buf *out, const char *sha256, const char *key, struct sr_error *err)
{
    return sr_buf_printf(out, "%s  %s\n", sha256, key) == SR_OK
               ? SR_OK
               : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

static int is_digest(const char *s)
{
    for (int i = 0; i < DIGITS; i++)
        if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
            return 0;
    return 1;
}

void sr_sums_find(const char *text, size_t len, const char *key, char ret[65])
{
    size_t n = strlen(key);
    *ret = '\0';
    for (const char *end; len > 0 && (end = memchr(text, '\n', len)) != NULL;) {
        size_t line = (size_t)(end - text);
        if (line == DIGITS + 2 + n && text[DIGITS] == ' ' &&
            (text[DIGITS + 1] == ' ' || text[DIGITS + 1] == '*') &&
            memcmp(text + DIGITS + 2, key, n) == 0 && is_digest(text)) {
            memcpy(ret, text, DIGITS);
            ret[DIGITS] = '\0';
            return;
        }
        text += line + 1;
        len -= line + 1;
    }
}
