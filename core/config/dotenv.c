#include <config.h> /* not the one of this folder */
#include "core/config/dotenv.h"
#include "core/util/buf.h"

#include <string.h>

struct parser {
    const char *file;
    const char *p, *end;
    unsigned line;
    struct sr_buf value;
    struct sr_error *err;
};

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int is_name(char c)
{
    /* Dots and dashes are not ours, but other programs that share the file use them. */
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
}

static int bad_line(const struct parser *s, unsigned line, const char *reason)
{
    return sr_fail(s->err, SR_E_CONFIG, "%s:%u: %s", s->file, line, reason);
}

static int value_add(struct parser *s, char c)
{
    int rc = sr_buf_addc(&s->value, c);
    if (rc == SR_E_NO_SPACE)
        return sr_fail(s->err, SR_E_CONFIG, "%s:%u: the value is longer than %u bytes", s->file,
                       s->line, SR_DOTENV_VALUE_MAX);
    return rc == SR_OK ? SR_OK : sr_fail(s->err, rc, "%s: out of memory", s->file);
}

static void skip_blanks(struct parser *s)
{
    while (s->p < s->end && is_blank(*s->p))
        s->p++;
}

/* At the end of a line, its newline (or CRLF) included, or of the text. */
static int take_line_end(struct parser *s)
{
    if (s->p == s->end)
        return 1;
    if (*s->p == '\r' && (s->p + 1 == s->end || s->p[1] == '\n'))
        s->p++;
    else if (*s->p != '\n')
        return 0;
    if (s->p < s->end) {
        s->p++;
        s->line++;
    }
    return 1;
}

static void skip_comment(struct parser *s)
{
    if (s->p < s->end && *s->p == '#')
        while (s->p < s->end && *s->p != '\n')
            s->p++;
}

static int parse_quoted(struct parser *s, char quote)
{
    unsigned opened = s->line;
    int rc = SR_OK;
    for (s->p++; s->p < s->end && rc == SR_OK; s->p++) {
        char c = *s->p;
        if (c == quote) {
            s->p++;
            skip_blanks(s);
            skip_comment(s);
            return take_line_end(s) ? SR_OK
                                    : bad_line(s, s->line, "there is text after the closing quote");
        }
        if (c == '\r' && s->p + 1 < s->end && s->p[1] == '\n')
            continue;
        if (c == '\n')
            s->line++;
        if (c == '\\' && quote == '"' && s->p + 1 < s->end) {
            char next = s->p[1];
            if (next == 'n' || next == '"' || next == '\\' || next == '$') {
                c = next == 'n' ? '\n' : next;
                s->p++;
            }
        }
        rc = value_add(s, c);
    }
    return rc != SR_OK
               ? rc
               : bad_line(s, opened,
                          quote == '"' ? "the closing \" is missing" : "the closing ' is missing");
}

static int parse_bare(struct parser *s)
{
    const char *a = s->p;
    while (s->p < s->end && *s->p != '\n') {
        if (*s->p == '#' && (s->p == a || is_blank(s->p[-1])))
            break;
        s->p++;
    }
    const char *b = s->p;
    skip_comment(s);
    while (b > a && (is_blank(b[-1]) || b[-1] == '\r'))
        b--;
    if (memchr(a, '\r', (size_t)(b - a)))
        return bad_line(s, s->line, "there is a carriage return inside the line");
    int rc = SR_OK;
    for (; a < b && rc == SR_OK; a++)
        rc = value_add(s, *a);
    if (rc == SR_OK)
        (void)take_line_end(s);
    return rc;
}

static int parse_name(struct parser *s, char name[SR_DOTENV_NAME_MAX + 1])
{
    const char *a = s->p;
    while (s->p < s->end && is_name(*s->p))
        s->p++;
    size_t n = (size_t)(s->p - a);
    if (n > SR_DOTENV_NAME_MAX)
        return sr_fail(s->err, SR_E_CONFIG, "%s:%u: the name is longer than %d bytes", s->file,
                       s->line, SR_DOTENV_NAME_MAX);
    memcpy(name, a, n);
    name[n] = '\0';
    return SR_OK;
}

static int parse_pair(struct parser *s, sr_dotenv_pair_fn pair, void *ctx)
{
    char name[SR_DOTENV_NAME_MAX + 1];
    unsigned line = s->line;
    int rc = parse_name(s, name);
    if (rc != SR_OK)
        return rc;
    const char *after = s->p;
    skip_blanks(s);
    if (strcmp(name, "export") == 0 && s->p > after && s->p < s->end && *s->p != '=') {
        rc = parse_name(s, name);
        if (rc != SR_OK)
            return rc;
        skip_blanks(s);
    }
    if (s->p == s->end || *s->p != '=')
        return bad_line(s, line, "NAME=VALUE is expected (or # before a comment)");
    if (!*name || (*name >= '0' && *name <= '9') || *name == '-' || *name == '.')
        return bad_line(s, line, "the name before = must begin with a letter or _");
    s->p++;
    skip_blanks(s);
    sr_buf_reset(&s->value);
    if (s->p < s->end && (*s->p == '"' || *s->p == '\''))
        rc = parse_quoted(s, *s->p);
    else
        rc = parse_bare(s);
    return rc != SR_OK ? rc : pair(ctx, name, sr_buf_str(&s->value), line, s->err);
}

int sr_dotenv_parse(const char *file, const char *text, size_t len, sr_dotenv_pair_fn pair,
                    void *ctx, struct sr_error *err)
{
    if (len > SR_DOTENV_MAX)
        return sr_fail(err, SR_E_CONFIG, "%s: longer than %u bytes", file, SR_DOTENV_MAX);
    if (len && memchr(text, '\0', len))
        return sr_fail(err, SR_E_CONFIG,
                       "%s: it has a NUL byte in it; a text file in UTF-8 is expected", file);
    struct parser s = {.file = file, .p = text, .end = text + len, .line = 1, .err = err};
    sr_buf_init(&s.value, SR_DOTENV_VALUE_MAX);
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        s.p += 3;
    int rc = SR_OK;
    unsigned pairs = 0;
    while (rc == SR_OK && s.p < s.end) {
        skip_blanks(&s);
        skip_comment(&s);
        if (take_line_end(&s))
            continue;
        if (++pairs > SR_DOTENV_PAIRS_MAX)
            rc = sr_fail(err, SR_E_CONFIG, "%s:%u: more than %d settings in one file", file, s.line,
                         SR_DOTENV_PAIRS_MAX);
        else
            rc = parse_pair(&s, pair, ctx);
    }
    sr_buf_wipe(&s.value);
    return rc;
}
