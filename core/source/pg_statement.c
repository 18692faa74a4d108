#include "config.h"
#include "core/source/pg_statement.h"

#include <string.h>
#include <strings.h>

enum token_kind {
    TOKEN_WORD,
    TOKEN_IDENT,  /* in double quotes */
    TOKEN_STRING, /* in single quotes */
    TOKEN_SIGN,
};

struct token {
    const char *text;
    size_t len;
    enum token_kind kind;
};

#define HEAD 5
#define TAIL 5

/* The first and the last few tokens are enough to tell. */
struct outline {
    struct token head[HEAD];
    struct token tail[TAIL]; /* tail[0] is the last */
    size_t count;
    int from_stdin; /* FROM STDIN outside of parentheses */
};

static int is_word(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c >= 0x80;
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static const char *quoted_end(const char *p, const char *end, char quote)
{
    for (p++; p < end; p++) {
        if (*p != quote)
            continue;
        if (p + 1 == end || p[1] != quote)
            return p + 1;
        p++;
    }
    return end;
}

static int token_next(const char **at, const char *end, struct token *ret)
{
    const char *p = *at;
    while (p < end && is_blank(*p))
        p++;
    if (p == end)
        return 0;
    ret->text = p;
    if (is_word((unsigned char)*p)) {
        ret->kind = TOKEN_WORD;
        while (p < end && is_word((unsigned char)*p))
            p++;
    } else if (*p == '"' || *p == '\'') {
        ret->kind = *p == '"' ? TOKEN_IDENT : TOKEN_STRING;
        p = quoted_end(p, end, *p);
    } else {
        ret->kind = TOKEN_SIGN;
        p++;
    }
    ret->len = (size_t)(p - ret->text);
    *at = p;
    return 1;
}

static int is(const struct token *t, const char *word)
{
    return t->kind != TOKEN_IDENT && t->kind != TOKEN_STRING && t->len == strlen(word) &&
           strncasecmp(t->text, word, t->len) == 0;
}

static void outline_read(const char *sql, size_t len, struct outline *o)
{
    const char *p = sql, *end = sql + len;
    struct token t;
    int depth = 0;
    while (token_next(&p, end, &t)) {
        if (is(&t, "("))
            depth++;
        else if (is(&t, ")"))
            depth--;
        else if (depth == 0 && is(&t, "STDIN") && o->count && is(&o->tail[0], "FROM"))
            o->from_stdin = 1;
        if (o->count < HEAD)
            o->head[o->count] = t;
        memmove(o->tail + 1, o->tail, (TAIL - 1) * sizeof t);
        o->tail[0] = t;
        o->count++;
    }
}

static int head_is(const struct outline *o, const char *a, const char *b, const char *c)
{
    return is(&o->head[0], a) && (!b || (o->count > 1 && is(&o->head[1], b))) &&
           (!c || (o->count > 2 && is(&o->head[2], c)));
}

static enum sr_pg_statement set_kind(const struct outline *o)
{
    if (head_is(o, "SET", "SESSION", "AUTHORIZATION") && o->count == 5) {
        /* pg_dump writes an owner as a string, the grantor of a grant as an identifier. */
        const struct token *who = &o->head[3];
        return who->kind == TOKEN_STRING || is(who, "DEFAULT") ? SR_STATEMENT_OWNER
                                                               : SR_STATEMENT_ACL;
    }
    if (head_is(o, "SET", "standard_conforming_strings", NULL) && o->count == 5) {
        if (is(&o->head[3], "on"))
            return SR_STATEMENT_STRINGS_ON;
        if (is(&o->head[3], "off"))
            return SR_STATEMENT_STRINGS_OFF;
    }
    return SR_STATEMENT_OTHER;
}

enum sr_pg_statement sr_pg_statement_kind(const char *sql, size_t len)
{
    struct outline o = {.count = 0};
    outline_read(sql, len, &o);
    if (o.count < 2 || !is(&o.tail[0], ";"))
        return SR_STATEMENT_OTHER;
    if (head_is(&o, "GRANT", NULL, NULL) || head_is(&o, "REVOKE", NULL, NULL) ||
        head_is(&o, "ALTER", "DEFAULT", "PRIVILEGES") ||
        head_is(&o, "RESET", "SESSION", "AUTHORIZATION"))
        return SR_STATEMENT_ACL;
    if (head_is(&o, "ALTER", NULL, NULL) && o.count > 5 && is(&o.tail[3], "OWNER") &&
        is(&o.tail[2], "TO") && !is(&o.tail[4], "RENAME") && !is(&o.tail[4], "COLUMN"))
        return SR_STATEMENT_OWNER;
    if (head_is(&o, "COPY", NULL, NULL))
        return o.from_stdin ? SR_STATEMENT_COPY_IN : SR_STATEMENT_OTHER;
    if (o.count == 2 && (head_is(&o, "BEGIN", NULL, NULL) || head_is(&o, "COMMIT", NULL, NULL)))
        return SR_STATEMENT_TRANSACTION;
    return set_kind(&o);
}

int sr_pg_statement_may_matter(const char *word, size_t len)
{
    static const char *const words[] = {"ALTER", "GRANT", "REVOKE", "SET",
                                        "RESET", "COPY",  "BEGIN",  "COMMIT"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == len && strncasecmp(words[i], word, len) == 0)
            return 1;
    return 0;
}
