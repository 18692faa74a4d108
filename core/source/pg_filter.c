#include "config.h"
#include "core/source/pg_filter.h"

#include "core/source/pg_statement.h"
#include "core/util/buf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define TAG_MAX 64  /* of a dollar quote; an identifier, so that PostgreSQL's limit applies */
#define WORD_MAX 16 /* a first word longer than this is none that matters */

enum state {
    IN_SQL,
    IN_LINE_COMMENT,
    IN_BLOCK_COMMENT,
    IN_STRING,
    IN_STRING_END, /* after a quote that ends the string, unless another follows */
    IN_IDENT,
    IN_TAG, /* after a dollar sign: a quote's tag, or none */
    IN_DOLLAR,
    IN_COMMAND, /* a backslash command, to the end of its line */
    IN_COPY,
};

/* How much of a line "\." has been seen in COPY data. */
enum copy_line {
    COPY_ELSE,
    COPY_BEGIN,
    COPY_BACKSLASH,
    COPY_DOT,
    COPY_RETURN,
};

struct sr_pg_filter {
    unsigned flags;
    sr_pg_filter_emit *emit;
    void *ctx;

    enum state state;
    unsigned char last, before; /* the two characters before this one, in SQL */
    int at_column_0;
    int in_statement, first_word;
    int escapes;      /* in the string being read, a backslash escapes */
    int escaped;      /* the character before was such a backslash */
    int plain_escape; /* standard_conforming_strings is off */
    int copy_follows; /* COPY FROM STDIN was read: data begins on the next line */
    unsigned parens, comments;
    char tag[TAG_MAX];
    size_t tag_len, tag_seen;
    char word[WORD_MAX];
    size_t word_len;
    enum copy_line copy_line;
    unsigned long long line;
    size_t bom; /* how much of a byte order mark the input began with; 3: past that */

    /* Input that is not emitted yet is carry, then what begins at from in the caller's buffer.
     * While holding, the held statement begins with carry where that is not empty, else at held. */
    struct sr_buf carry;
    const char *from, *held;
    int holding, held_at_column_0;
};

int sr_pg_filter_new(unsigned flags, sr_pg_filter_emit *emit, void *ctx, struct sr_pg_filter **ret,
                     struct sr_error *err)
{
    struct sr_pg_filter *f = calloc(1, sizeof *f);
    if (!f)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    f->flags = flags;
    f->emit = emit;
    f->ctx = ctx;
    f->at_column_0 = 1;
    f->line = 1;
    sr_buf_init(&f->carry, SR_FILTER_HELD_MAX);
    *ret = f;
    return SR_OK;
}

void sr_pg_filter_free(struct sr_pg_filter *f)
{
    if (!f)
        return;
    sr_buf_done(&f->carry);
    free(f);
}

/* --- what is emitted, held and dropped ------------------------------------------------------- */

static int emit_until(struct sr_pg_filter *f, const char *end, struct sr_error *err)
{
    if (f->carry.len) {
        int rc = f->emit(f->ctx, f->carry.data, f->carry.len, err);
        if (rc != SR_OK)
            return rc;
        sr_buf_reset(&f->carry);
    }
    const char *from = f->from;
    f->from = end;
    return end > from ? f->emit(f->ctx, from, (size_t)(end - from), err) : SR_OK;
}

static int hold(struct sr_pg_filter *f, const char *p, struct sr_error *err)
{
    f->holding = 1;
    f->held = p;
    f->held_at_column_0 = f->at_column_0;
    /* A statement that was held before and stays may still be in carry. */
    return f->carry.len ? emit_until(f, p, err) : SR_OK;
}

/* Moves the held text up to end into carry. What grows too long is let go, as nothing that pg_dump
 * writes and we take out is nearly so long; but that a COPY is missed would be a misreading. */
static int held_keep(struct sr_pg_filter *f, const char *end, struct sr_error *err)
{
    const char *from = f->carry.len ? f->from : f->held;
    int rc = f->carry.len ? SR_OK : emit_until(f, f->held, err);
    if (rc != SR_OK)
        return rc;
    rc = sr_buf_add(&f->carry, from, (size_t)(end - from));
    if (rc == SR_OK) {
        f->from = f->held = end;
        return SR_OK;
    }
    if (rc == SR_E_NO_MEMORY)
        return sr_fail(err, rc, "out of memory");
    if (f->state == IN_COMMAND || f->word[0] == 'C' || f->word[0] == 'c')
        return sr_fail(err, SR_E_CORRUPT,
                       "line %llu of the dump: a statement is longer than %d bytes", f->line,
                       SR_FILTER_HELD_MAX);
    f->holding = 0;
    return emit_until(f, end, err);
}

/* The held text up to end in one piece; an empty one when it had to be let go. */
static int held_text(struct sr_pg_filter *f, const char *end, const char **ret_text,
                     size_t *ret_len, struct sr_error *err)
{
    *ret_text = f->held;
    *ret_len = (size_t)(end - f->held);
    if (!f->carry.len)
        return SR_OK;
    int rc = held_keep(f, end, err);
    *ret_text = sr_buf_str(&f->carry);
    *ret_len = f->carry.len;
    return rc;
}

/* Leaves out the held text up to end, but for its line ends. */
static int held_drop(struct sr_pg_filter *f, const char *text, size_t len, const char *end,
                     struct sr_error *err)
{
    size_t lines = 0;
    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    int rc = SR_OK;
    if (f->carry.len)
        sr_buf_reset(&f->carry);
    else
        rc = emit_until(f, f->held, err);
    f->from = end;
    for (; lines && rc == SR_OK; lines--)
        rc = f->emit(f->ctx, "\n", 1, err);
    return rc;
}

/* --- SQL ------------------------------------------------------------------------------------- */

static int drops(const struct sr_pg_filter *f, enum sr_pg_statement kind)
{
    return f->held_at_column_0 &&
           ((kind == SR_STATEMENT_OWNER && (f->flags & SR_FILTER_OWNERS)) ||
            (kind == SR_STATEMENT_ACL && (f->flags & SR_FILTER_ACLS)) ||
            (kind == SR_STATEMENT_TRANSACTION && (f->flags & SR_FILTER_TRANSACTIONS)));
}

/* p is behind the ";". */
static int statement_end(struct sr_pg_filter *f, const char *p, struct sr_error *err)
{
    f->in_statement = 0;
    if (!f->holding)
        return SR_OK;
    const char *text;
    size_t len;
    int rc = held_text(f, p, &text, &len, err);
    f->holding = 0;
    if (rc != SR_OK)
        return rc;
    enum sr_pg_statement kind = sr_pg_statement_kind(text, len);
    if (kind == SR_STATEMENT_COPY_IN)
        f->copy_follows = 1;
    if (kind == SR_STATEMENT_STRINGS_ON || kind == SR_STATEMENT_STRINGS_OFF)
        f->plain_escape = kind == SR_STATEMENT_STRINGS_OFF;
    return drops(f, kind) ? held_drop(f, text, len, p, err) : SR_OK;
}

/* The pair that pg_dump puts around a dump since CVE-2025-8714, with its token and nothing else. */
static int is_restrict(const char *text, size_t len)
{
    static const char *const words[] = {"\\restrict ", "\\unrestrict "};
    while (len > 0 && text[len - 1] == '\r')
        len--;
    for (size_t i = 0; i < 2; i++) {
        size_t n = strlen(words[i]), at = n;
        if (len <= n || memcmp(text, words[i], n) != 0)
            continue;
        while (at < len && isalnum((unsigned char)text[at]))
            at++;
        return at == len;
    }
    return 0;
}

/* p is at the line end. */
static int command_end(struct sr_pg_filter *f, const char *p, struct sr_error *err)
{
    const char *text;
    size_t len;
    int rc = held_text(f, p, &text, &len, err);
    f->holding = 0;
    if (rc != SR_OK)
        return rc;
    size_t word = 0;
    while (word < len && text[word] != ' ' && text[word] != '\t' && text[word] != '\r')
        word++;
    if (is_restrict(text, len))
        return held_drop(f, text, len, p, err);
    if ((word == 8 && memcmp(text, "\\connect", word) == 0) ||
        (word == 2 && memcmp(text, "\\c", word) == 0))
        return sr_fail(err, SR_E_UNSUPPORTED,
                       "line %llu of the dump: it connects to a database of its own (pg_dump -C or "
                       "pg_dumpall made it), so that it cannot be restored into another one; feed "
                       "it to psql by hand, or make a dump without --create",
                       f->line);
    return sr_fail(err, SR_E_CORRUPT,
                   "line %llu of the dump: \"%.*s\" is a command to psql that no dump of pg_dump "
                   "has; it is refused",
                   f->line, (int)(word < 40 ? word : 40), text);
}

static int is_word(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c >= 0x80;
}

/* The body of a BEGIN ATOMIC function is not followed: its statements are indented by pg_dump, and
 * none of those that matter here is allowed in it. */
static int statement_begin(struct sr_pg_filter *f, const char *p, struct sr_error *err)
{
    f->in_statement = 1;
    f->parens = 0;
    f->word_len = 0;
    f->first_word = is_word((unsigned char)*p);
    return f->first_word ? hold(f, p, err) : SR_OK;
}

/* The first word of a statement tells whether the rest is worth holding. */
static void first_word(struct sr_pg_filter *f, unsigned char c)
{
    if (is_word(c)) {
        if (f->word_len < WORD_MAX)
            f->word[f->word_len] = (char)c;
        f->word_len += f->word_len < WORD_MAX;
        return;
    }
    f->first_word = 0;
    if (f->word_len == WORD_MAX || !sr_pg_statement_may_matter(f->word, f->word_len))
        f->holding = 0;
}

static void string_begin(struct sr_pg_filter *f)
{
    int e_prefix = (f->last == 'e' || f->last == 'E') && !is_word(f->before);
    f->state = IN_STRING;
    f->escapes = e_prefix || f->plain_escape;
    f->escaped = 0;
}

/* A character outside of quotes and comments. */
static int sql_char(struct sr_pg_filter *f, const char *p, struct sr_error *err)
{
    unsigned char c = (unsigned char)*p;
    int rc = SR_OK;
    if (c == '\\') {
        if (f->in_statement || !f->at_column_0)
            return sr_fail(err, SR_E_CORRUPT,
                           "line %llu of the dump: a command to psql in the middle of a line is "
                           "refused; no dump of pg_dump has it",
                           f->line);
        f->state = IN_COMMAND;
        return hold(f, p, err);
    }
    if (c == '-' && f->last == '-') {
        f->state = IN_LINE_COMMENT;
    } else if (c == '*' && f->last == '/') {
        f->state = IN_BLOCK_COMMENT;
        f->comments = 1;
        c = 0; /* this star does not end it */
    } else if (!f->in_statement && c > ' ' && c != ';' && c != '-' && c != '/') {
        /* A comment's first sign begins no statement; nor does a statement begin with one. */
        rc = statement_begin(f, p, err);
        if (rc != SR_OK)
            return rc;
    }
    if (f->first_word && f->in_statement)
        first_word(f, c);
    if (c == '\'')
        string_begin(f);
    else if (c == '"')
        f->state = IN_IDENT;
    else if (c == '$' && !is_word(f->last)) {
        f->state = IN_TAG;
        f->tag_len = 0;
    } else if (c == '(')
        f->parens++;
    else if (c == ')')
        f->parens -= f->parens > 0;
    else if (c == ';' && f->parens == 0)
        rc = statement_end(f, p + 1, err);
    else if (c == '\n' && f->copy_follows) {
        f->copy_follows = 0;
        f->state = IN_COPY;
        f->copy_line = COPY_BEGIN;
    }
    f->before = f->last;
    f->last = c;
    return rc;
}

static void back_to_sql(struct sr_pg_filter *f, unsigned char last)
{
    f->state = IN_SQL;
    f->before = 0;
    f->last = last;
}

static void comment_char(struct sr_pg_filter *f, unsigned char c)
{
    unsigned char last = f->last;
    f->last = c;
    if (last == '/' && c == '*') {
        f->comments++;
        f->last = 0;
    } else if (last == '*' && c == '/') {
        f->last = 0;
        if (--f->comments == 0)
            back_to_sql(f, ' ');
    }
}

static void string_char(struct sr_pg_filter *f, unsigned char c)
{
    if (f->escaped)
        f->escaped = 0;
    else if (c == '\\' && f->escapes)
        f->escaped = 1;
    else if (c == '\'')
        f->state = IN_STRING_END;
}

/* Nonzero when the character was part of the tag. */
static int tag_char(struct sr_pg_filter *f, unsigned char c)
{
    if (c == '$') {
        f->state = IN_DOLLAR;
        f->tag_seen = 0;
        return 1;
    }
    int digit = c >= '0' && c <= '9';
    if (!is_word(c) || (digit && f->tag_len == 0) || f->tag_len == TAG_MAX) {
        back_to_sql(f, '$');
        return 0;
    }
    f->tag[f->tag_len++] = (char)c;
    return 1;
}

/* tag_seen: how much of "$tag$" the last characters are. A dollar sign occurs in it at both ends
 * only, so that a mismatch can begin a new match nowhere but at the character itself. */
static void dollar_char(struct sr_pg_filter *f, unsigned char c)
{
    size_t seen = f->tag_seen;
    if (seen == 0) {
        f->tag_seen = c == '$';
    } else if (seen == f->tag_len + 1) {
        if (c == '$')
            back_to_sql(f, ' ');
        else
            f->tag_seen = 0;
    } else {
        f->tag_seen = c == (unsigned char)f->tag[seen - 1] ? seen + 1 : c == '$';
    }
}

/* --- COPY data ------------------------------------------------------------------------------- */

/* Steps over COPY data as far as this buffer goes; returns where it stopped. */
static const char *copy_skip(struct sr_pg_filter *f, const char *p, const char *end)
{
    while (p < end) {
        if (f->copy_line == COPY_ELSE) {
            p = memchr(p, '\n', (size_t)(end - p));
            if (!p)
                return end;
        }
        char c = *p++;
        if (c == '\n') {
            f->line++;
            if (f->copy_line == COPY_DOT || f->copy_line == COPY_RETURN) {
                back_to_sql(f, '\n');
                f->at_column_0 = 1;
                return p;
            }
            f->copy_line = COPY_BEGIN;
        } else if (f->copy_line == COPY_BEGIN && c == '\\') {
            f->copy_line = COPY_BACKSLASH;
        } else if (f->copy_line == COPY_BACKSLASH && c == '.') {
            f->copy_line = COPY_DOT;
        } else if (f->copy_line == COPY_DOT && c == '\r') {
            f->copy_line = COPY_RETURN;
        } else {
            f->copy_line = COPY_ELSE;
        }
    }
    return p;
}

/* --- the loop -------------------------------------------------------------------------------- */

static int one_char(struct sr_pg_filter *f, const char *p, struct sr_error *err)
{
    unsigned char c = (unsigned char)*p;
    int rc;
    switch (f->state) {
    case IN_LINE_COMMENT:
        if (c != '\n')
            return SR_OK;
        back_to_sql(f, ' ');
        return sql_char(f, p, err);
    case IN_BLOCK_COMMENT:
        comment_char(f, c);
        return SR_OK;
    case IN_STRING:
        string_char(f, c);
        return SR_OK;
    case IN_STRING_END:
        if (c == '\'') {
            f->state = IN_STRING;
            return SR_OK;
        }
        back_to_sql(f, ' ');
        return sql_char(f, p, err);
    case IN_IDENT:
        if (c == '"')
            back_to_sql(f, ' ');
        return SR_OK;
    case IN_TAG:
        return tag_char(f, c) ? SR_OK : sql_char(f, p, err);
    case IN_DOLLAR:
        dollar_char(f, c);
        return SR_OK;
    case IN_COMMAND:
        if (c != '\n')
            return SR_OK;
        rc = command_end(f, p, err);
        back_to_sql(f, '\n');
        return rc;
    case IN_SQL:
    case IN_COPY:
        break;
    }
    return sql_char(f, p, err);
}

/* A quick way through what ends at one character only. */
static const char *quoted_skip(struct sr_pg_filter *f, const char *p, const char *end)
{
    char stop;
    if (f->state == IN_STRING && !f->escapes)
        stop = '\'';
    else if (f->state == IN_DOLLAR && f->tag_seen == 0)
        stop = '$';
    else
        return p;
    const char *begin = p;
    for (; p < end && *p != stop; p++)
        f->line += *p == '\n';
    if (p > begin)
        f->at_column_0 = p[-1] == '\n';
    return p;
}

/* A byte order mark, which an editor may have put there, is no statement, and goes: psql knows one
 * only at the very beginning of its input, which is ours. */
static const char *bom_skip(struct sr_pg_filter *f, const char *p, const char *end)
{
    static const char bom[] = "\xef\xbb\xbf";
    while (f->bom < 3 && p < end) {
        if (*p != bom[f->bom]) {
            f->bom = 3;
            break;
        }
        f->bom++;
        p++;
    }
    return p;
}

int sr_pg_filter_feed(struct sr_pg_filter *f, const void *data, size_t len, struct sr_error *err)
{
    const char *p = data, *end = p + len;
    p = bom_skip(f, p, end);
    f->from = f->held = p;
    while (p < end) {
        if (f->state == IN_COPY) {
            p = copy_skip(f, p, end);
            continue;
        }
        p = quoted_skip(f, p, end);
        if (p == end)
            break;
        int rc = one_char(f, p, err);
        if (rc != SR_OK)
            return rc;
        f->at_column_0 = *p == '\n';
        f->line += *p == '\n';
        p++;
    }
    return f->holding ? held_keep(f, end, err) : emit_until(f, end, err);
}

int sr_pg_filter_end(struct sr_pg_filter *f, struct sr_error *err)
{
    if (f->state == IN_COMMAND) {
        f->from = f->held = "";
        return command_end(f, f->held, err);
    }
    f->from = "";
    return emit_until(f, f->from, err);
}
