#include "config.h"
#include "core/source/pg_pattern.h"
#include "core/util/buf.h"

#include <stdlib.h>
#include <string.h>

#define PATTERN_MAX 65536

static int add_char(struct sr_buf *b, char c, int quoted)
{
    if (!quoted && c == '*')
        return sr_buf_adds(b, ".*");
    if (!quoted && c == '?')
        return sr_buf_addc(b, '.');
    if (!quoted && c >= 'A' && c <= 'Z')
        return sr_buf_addc(b, (char)(c + 32));
    /* A dollar is a letter in names, wherever it stands. */
    if (c == '$' || (quoted && strchr("|*+?()[]{}.^\\", c)))
        (void)sr_buf_addc(b, '\\');
    return sr_buf_addc(b, c);
}

/* Between anchors; the parentheses keep a | inside them. */
static char *finish(struct sr_buf *b)
{
    struct sr_buf out;
    sr_buf_init(&out, PATTERN_MAX * 2 + 8);
    int rc = sr_buf_printf(&out, "^(%s)$", sr_buf_str(b));
    sr_buf_reset(b);
    char *text = rc == SR_OK ? sr_buf_steal(&out) : NULL;
    sr_buf_done(&out);
    return text;
}

int sr_pg_pattern_read(const char *pattern, char **ret_schema, char **ret_name,
                       struct sr_error *err)
{
    struct sr_buf part;
    char *schema = NULL, *name = NULL;
    int quoted = 0, rc = SR_OK;
    sr_buf_init(&part, PATTERN_MAX * 2);
    for (const char *p = pattern; *p && rc == SR_OK; p++) {
        if (*p == '"' && quoted && p[1] == '"') {
            rc = sr_buf_addc(&part, '"');
            p++;
        } else if (*p == '"') {
            quoted = !quoted;
        } else if (*p == '.' && !quoted) {
            free(schema);
            schema = finish(&part);
            rc = schema ? SR_OK : SR_E_NO_MEMORY;
        } else {
            rc = add_char(&part, *p, quoted);
        }
    }
    if (rc == SR_OK && !(name = finish(&part)))
        rc = SR_E_NO_MEMORY;
    sr_buf_done(&part);
    if (rc != SR_OK) {
        free(schema);
        return sr_fail(err, rc, "reading the pattern \"%.100s\": %s", pattern, sr_code_name(rc));
    }
    *ret_schema = schema;
    *ret_name = name;
    return SR_OK;
}
