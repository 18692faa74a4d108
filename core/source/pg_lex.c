#include "config.h"
#include "core/source/pg_lex.h"
#include "core/source/pg_lex_run.h"

#include <string.h>

#define WORDS_MAX 100

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* What a word begins with, for psql: letters, underscore, every byte above ASCII. */
static int is_word_start(char c)
{
    return (c >= 'a' && c <= 'z') || is_upper(c) || c == '_' || ((unsigned char)c & 0x80) != 0;
}

static char lower(char c)
{
    return is_upper(c) ? (char)(c + 32) : c;
}

void sr_pg_lex_statement_new(struct sr_pg_lex *x)
{
    x->token = SR_LEX_TOKEN_NONE;
    x->word_len = 0;
    x->paren_depth = 0;
    x->begin_depth = 0;
    x->body_begins = 0;
    x->body_odd = 0;
    x->words = 0;
    memset(x->start, 0, sizeof x->start);
    x->empty = 1;
    x->at_line_start = 0;
    x->first[0] = '\0';
    x->from_stdin = 0;
    x->had_stdin = 0;
    x->from_just_now = 0;
    x->text_len = 0;
    x->text[0] = '\0';
}

void sr_pg_lex_init(struct sr_pg_lex *x, enum sr_pg_lex_care care)
{
    memset(x, 0, sizeof *x);
    x->care = care;
    x->line = 1;
    x->column_zero = 1;
    sr_pg_lex_statement_new(x);
}

int sr_pg_lex_outside(const struct sr_pg_lex *x)
{
    switch (x->state) {
    case SR_LEX_BLOCK_COMMENT:
    case SR_LEX_BLOCK_SLASH:
    case SR_LEX_BLOCK_STAR:
    case SR_LEX_QUOTE:
    case SR_LEX_EQUOTE:
    case SR_LEX_EQUOTE_ESCAPE:
    case SR_LEX_DQUOTE:
    case SR_LEX_DOLLAR:
        return 0;
    default:
        return 1;
    }
}

static int word_is(const struct sr_pg_lex *x, const char *s)
{
    return strlen(s) == x->word_len && memcmp(x->word, s, x->word_len) == 0;
}

/* The server has a body only where ATOMIC follows, and one alone; to psql each BEGIN counts, were
 * it a column's name. */
static void body_begin(struct sr_pg_lex *x)
{
    if (x->begin_depth > 0) {
        x->body_odd = 1;
        return;
    }
    x->begin_depth = 1;
    x->body_begins = 1;
}

/* What follows that BEGIN is not ATOMIC. */
static void body_is_none(struct sr_pg_lex *x)
{
    x->body_begins = 0;
    x->body_odd = 1;
    x->begin_depth = 0;
}

/* psql's own rule for the ; inside the body of an SQL-standard function. */
static void word_count_blocks(struct sr_pg_lex *x)
{
    if (x->words < sizeof x->start &&
        (word_is(x, "create") || word_is(x, "function") || word_is(x, "procedure") ||
         word_is(x, "or") || word_is(x, "replace")))
        x->start[x->words] = x->word[0];
    if (x->words < WORDS_MAX)
        x->words++;
    const char *s = x->start;
    int routine = s[0] == 'c' && (s[1] == 'f' || s[1] == 'p' ||
                                  (s[1] == 'o' && s[2] == 'r' && (s[3] == 'f' || s[3] == 'p')));
    if (!routine || x->paren_depth > 0)
        return;
    if (word_is(x, "begin"))
        body_begin(x);
    else if (word_is(x, "case") && x->begin_depth > 0)
        x->begin_depth++;
    else if (word_is(x, "end") && x->begin_depth > 0)
        x->begin_depth--;
}

/* A word has ended. */
static void word_end(struct sr_pg_lex *x)
{
    if (x->word_len == 0)
        return;
    if (x->words == 0 && x->word_len < sizeof x->first) {
        memcpy(x->first, x->word, x->word_len);
        x->first[x->word_len] = '\0';
    }
    if (x->body_begins && !word_is(x, "atomic"))
        body_is_none(x);
    x->body_begins = 0;
    word_count_blocks(x);
    int outside = x->paren_depth == 0;
    x->from_stdin = outside && x->from_just_now && word_is(x, "stdin");
    x->had_stdin |= x->from_stdin;
    x->from_just_now = outside && word_is(x, "from");
    x->word_len = 0;
}

/* Anything that is neither blank, comment nor word stands between FROM and STDIN or after it. */
static void not_a_word(struct sr_pg_lex *x)
{
    x->from_just_now = 0;
    x->from_stdin = 0;
    if (x->body_begins)
        body_is_none(x);
}

static int suspect(struct sr_pg_lex *x, enum sr_pg_lex_care from, const char *what,
                   enum sr_pg_lex_event *ret)
{
    if (x->care < from)
        return 0;
    x->suspect = what;
    x->suspect_is_strict = from == SR_LEX_STRICT;
    *ret = SR_LEX_SUSPECT;
    return 1;
}

static void quote_open(struct sr_pg_lex *x, enum sr_pg_lex_state state)
{
    x->state = state;
    x->token = SR_LEX_TOKEN_NONE;
    x->odd_backslashes = 0;
    x->high_before = 0;
    not_a_word(x);
}

/* A quote character outside quotes. */
static void open_single(struct sr_pg_lex *x, enum sr_pg_lex_event *ret)
{
    if ((x->token == SR_LEX_TOKEN_NUMBER || x->token == SR_LEX_TOKEN_VARIABLE) &&
        suspect(x, SR_LEX_CAREFUL, "a quote right after a number or variable", ret))
        return;
    /* One letter right before the quote belongs to it and is no word. */
    int prefix =
        x->token == SR_LEX_TOKEN_WORD && x->word_len == 1 && strchr("ebxn", x->word[0]) != NULL;
    int escapes = prefix && x->word[0] == 'e';
    if (prefix)
        x->word_len = 0;
    word_end(x);
    quote_open(x, escapes ? SR_LEX_EQUOTE : SR_LEX_QUOTE);
}

static void start_word(struct sr_pg_lex *x, char c)
{
    x->token = SR_LEX_TOKEN_WORD;
    x->word_len = 0;
    sr_pg_lex_word(x, &c, 1);
}

static void in_number(struct sr_pg_lex *x, char c, enum sr_pg_lex_event *ret)
{
    if (is_digit(c) || c == '.')
        return;
    if (lower(c) == 'e' && !x->number_has_exponent) {
        x->number_has_exponent = 1;
        return;
    }
    if (suspect(x, SR_LEX_CAREFUL, "a word right after a number", ret))
        return;
    start_word(x, c);
}

static void statement_end(struct sr_pg_lex *x, enum sr_pg_lex_event *ret)
{
    if (x->body_begins)
        body_is_none(x);
    if (x->paren_depth == 0 && x->begin_depth == 0)
        *ret = SR_LEX_STATEMENT;
    else
        not_a_word(x);
}

/* One character outside quotes and comments. */
static void in_sql(struct sr_pg_lex *x, char c, enum sr_pg_lex_event *ret)
{
    x->state = SR_LEX_SQL;
    if (x->token == SR_LEX_TOKEN_WORD && (is_word_start(c) || is_digit(c) || c == '$')) {
        sr_pg_lex_word(x, &c, 1);
        return;
    }
    if (x->token == SR_LEX_TOKEN_NUMBER && (is_word_start(c) || is_digit(c) || c == '.')) {
        in_number(x, c, ret);
        return;
    }
    if (x->token == SR_LEX_TOKEN_VARIABLE && (is_word_start(c) || is_digit(c)))
        return;
    if (c == '\'') {
        open_single(x, ret);
        return;
    }
    if (c == '&' && x->token == SR_LEX_TOKEN_WORD && word_is(x, "u")) {
        x->state = SR_LEX_U_AMP;
        return;
    }
    word_end(x);
    enum sr_pg_lex_token before = x->token;
    x->token = SR_LEX_TOKEN_NONE;
    if (c == ' ' || c == '\t' || c == '\n' || c == '\f')
        return;
    if (is_word_start(c)) {
        start_word(x, c);
        return;
    }
    switch (c) {
    case '\r':
        x->state = SR_LEX_CR;
        return;
    case '-':
        x->state = SR_LEX_DASH;
        return;
    case '/':
        x->state = SR_LEX_SLASH;
        return;
    case ':':
        x->state = SR_LEX_COLON;
        break;
    case '"':
        quote_open(x, SR_LEX_DQUOTE);
        return;
    case '$':
        if (before != SR_LEX_TOKEN_NONE &&
            suspect(x, SR_LEX_CAREFUL, "a $ right after a number or variable", ret))
            return;
        x->state = SR_LEX_DOLLAR_TAG;
        x->tag[0] = '$';
        x->tag_len = 1;
        break;
    case ';':
        statement_end(x, ret);
        return;
    case '\\':
        *ret = SR_LEX_BACKSLASH;
        return;
    case '(':
        x->paren_depth++;
        break;
    case ')':
        if (x->paren_depth > 0)
            x->paren_depth--;
        break;
    default:
        if (is_digit(c)) {
            x->token = SR_LEX_TOKEN_NUMBER;
            x->number_has_exponent = 0;
        }
        break;
    }
    not_a_word(x);
}

/* After a $: a tag, a parameter, or just that character. */
static void in_dollar_tag(struct sr_pg_lex *x, char c, enum sr_pg_lex_event *ret)
{
    if (c == '$') {
        if (x->tag_len + 1 >= sizeof x->tag) {
            if (!suspect(x, SR_LEX_CAREFUL, "a dollar quote with an overlong tag", ret))
                x->state = SR_LEX_SQL;
            return;
        }
        x->tag[x->tag_len++] = '$';
        x->tag_match = 0;
        x->state = SR_LEX_DOLLAR;
        return;
    }
    if (x->tag_len == 1 && is_digit(c)) {
        x->state = SR_LEX_SQL;
        x->token = SR_LEX_TOKEN_NUMBER;
        x->number_has_exponent = 0;
        return;
    }
    if (is_word_start(c) || (x->tag_len > 1 && is_digit(c))) {
        if (x->tag_len + 2 < sizeof x->tag)
            x->tag[x->tag_len] = c;
        else if (suspect(x, SR_LEX_CAREFUL, "a dollar quote with an overlong tag", ret))
            return;
        if (x->tag_len + 1 < sizeof x->tag)
            x->tag_len++;
        return;
    }
    /* Not a tag: what came after the $ is a word. */
    if (x->tag_len > 1) {
        start_word(x, x->tag[1]);
        sr_pg_lex_word(x, x->tag + 2, x->tag_len - 2);
    }
    in_sql(x, c, ret);
}

static void in_dollar(struct sr_pg_lex *x, char c)
{
    /* A tag holds $ at its ends only, so a mismatch can begin anew at this very character. */
    if (c == x->tag[x->tag_match])
        x->tag_match++;
    else
        x->tag_match = c == '$' ? 1 : 0;
    if (x->tag_match == x->tag_len)
        x->state = SR_LEX_SQL;
}

static void in_block_comment(struct sr_pg_lex *x, char c)
{
    if (x->state == SR_LEX_BLOCK_SLASH && c == '*') {
        x->comment_depth++;
        x->state = SR_LEX_BLOCK_COMMENT;
    } else if (x->state == SR_LEX_BLOCK_STAR && c == '/') {
        x->comment_depth--;
        x->state = x->comment_depth > 0 ? SR_LEX_BLOCK_COMMENT : SR_LEX_SQL;
    } else if (c == '/') {
        x->state = SR_LEX_BLOCK_SLASH;
    } else if (c == '*') {
        x->state = SR_LEX_BLOCK_STAR;
    } else {
        x->state = SR_LEX_BLOCK_COMMENT;
    }
}

static void in_quote(struct sr_pg_lex *x, char c, enum sr_pg_lex_event *ret)
{
    if (x->colon_quote) {
        x->colon_quote = 0;
        if (is_upper(c) && suspect(x, SR_LEX_STRICT, "a variable of psql's own", ret))
            return;
    }
    if (x->state == SR_LEX_DQUOTE) {
        if (c == '"')
            x->state = SR_LEX_DQUOTE_END;
        return;
    }
    if (c == '\'') {
        if (x->odd_backslashes &&
            suspect(x, SR_LEX_STRICT,
                    "a backslash before a quote, which standard_conforming_strings decides about",
                    ret))
            return;
        x->state = SR_LEX_QUOTE_END;
        return;
    }
    x->odd_backslashes = c == '\\' ? !x->odd_backslashes : 0;
}

static void in_equote(struct sr_pg_lex *x, char c, enum sr_pg_lex_event *ret)
{
    if (x->state == SR_LEX_EQUOTE_ESCAPE) {
        x->state = SR_LEX_EQUOTE;
        if (c == '\'' && x->high_before)
            (void)suspect(x, SR_LEX_STRICT, "an escaped quote that client_encoding decides about",
                          ret);
        x->high_before = ((unsigned char)c & 0x80) != 0;
    } else if (c == '\\') {
        x->state = SR_LEX_EQUOTE_ESCAPE; /* high_before: of what stands before the backslash */
    } else if (c == '\'') {
        x->state = SR_LEX_EQUOTE_END;
    } else {
        x->high_before = ((unsigned char)c & 0x80) != 0;
    }
}

static void after_colon(struct sr_pg_lex *x, char c, enum sr_pg_lex_event *ret)
{
    x->state = SR_LEX_SQL;
    if (c == ':' || c == '=')
        return;
    if (is_word_start(c) || is_digit(c)) {
        if (is_upper(c) && suspect(x, SR_LEX_STRICT, "a variable of psql's own", ret))
            return;
        x->token = SR_LEX_TOKEN_VARIABLE;
        return;
    }
    x->colon_quote = c == '\'' || c == '"';
    in_sql(x, c, ret);
}

static void step(struct sr_pg_lex *x, char c, enum sr_pg_lex_event *ret)
{
    switch (x->state) {
    case SR_LEX_SQL:
        in_sql(x, c, ret);
        break;
    case SR_LEX_DASH:
        if (c == '-') {
            x->state = SR_LEX_LINE_COMMENT;
            break;
        }
        not_a_word(x);
        in_sql(x, c, ret);
        break;
    case SR_LEX_SLASH:
        if (c == '*') {
            x->state = SR_LEX_BLOCK_COMMENT;
            x->comment_depth = 1;
            break;
        }
        not_a_word(x);
        in_sql(x, c, ret);
        break;
    case SR_LEX_COLON:
        after_colon(x, c, ret);
        break;
    case SR_LEX_CR:
    case SR_LEX_LINE_COMMENT_CR:
        if (c != '\n' && suspect(x, SR_LEX_CAREFUL, "a carriage return within a line", ret))
            break;
        in_sql(x, c, ret);
        break;
    case SR_LEX_U_AMP:
        if ((c == '\'' || c == '"') && suspect(x, SR_LEX_CAREFUL, "a U& quote", ret))
            break;
        word_end(x);
        x->token = SR_LEX_TOKEN_NONE;
        not_a_word(x);
        in_sql(x, c, ret);
        break;
    case SR_LEX_LINE_COMMENT:
        if (c == '\n')
            x->state = SR_LEX_SQL;
        else if (c == '\r')
            x->state = SR_LEX_LINE_COMMENT_CR;
        break;
    case SR_LEX_BLOCK_COMMENT:
    case SR_LEX_BLOCK_SLASH:
    case SR_LEX_BLOCK_STAR:
        in_block_comment(x, c);
        break;
    case SR_LEX_QUOTE:
    case SR_LEX_DQUOTE:
        in_quote(x, c, ret);
        break;
    case SR_LEX_EQUOTE:
    case SR_LEX_EQUOTE_ESCAPE:
        in_equote(x, c, ret);
        break;
    case SR_LEX_QUOTE_END:
        x->odd_backslashes = 0;
        if (c == '\'')
            x->state = SR_LEX_QUOTE;
        else
            in_sql(x, c, ret);
        break;
    case SR_LEX_EQUOTE_END:
        x->high_before = 0;
        if (c == '\'')
            x->state = SR_LEX_EQUOTE;
        else
            in_sql(x, c, ret);
        break;
    case SR_LEX_DQUOTE_END:
        if (c == '"')
            x->state = SR_LEX_DQUOTE;
        else
            in_sql(x, c, ret);
        break;
    case SR_LEX_DOLLAR_TAG:
        in_dollar_tag(x, c, ret);
        break;
    case SR_LEX_DOLLAR:
        in_dollar(x, c);
        break;
    }
}

static int is_comment(enum sr_pg_lex_state s)
{
    return s >= SR_LEX_LINE_COMMENT && s <= SR_LEX_BLOCK_STAR;
}

static void text_add(struct sr_pg_lex *x, const char *p, size_t len)
{
    size_t room = sizeof x->text - 1 - x->text_len;
    if (len > room)
        len = room;
    if (len == 0)
        return;
    memcpy(x->text + x->text_len, p, len);
    x->text_len += len;
    x->text[x->text_len] = '\0';
}

/* One byte; nonzero when it is to be kept as a part of its statement. */
static int take(struct sr_pg_lex *x, char c, enum sr_pg_lex_event *ret)
{
    int was_comment = is_comment(x->state);
    step(x, c, ret);
    if (x->body_odd && *ret == SR_LEX_NONE)
        (void)suspect(x, SR_LEX_CAREFUL,
                      "a BEGIN in a CREATE FUNCTION that psql takes for the beginning of its body "
                      "and the server does not",
                      ret);
    int kept = !was_comment && !is_comment(x->state) && *ret != SR_LEX_BACKSLASH;
    /* The first character of what may turn out a comment is not taken back; nobody who reads the
     * text minds a dash. */
    if (x->empty && kept && c != ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' &&
        x->state != SR_LEX_DASH && x->state != SR_LEX_SLASH) {
        x->empty = 0;
        x->at_line_start = x->column_zero;
    }
    x->column_zero = c == '\n';
    x->line += c == '\n';
    return kept && !x->empty;
}

size_t sr_pg_lex_feed(struct sr_pg_lex *x, const char *p, size_t len, enum sr_pg_lex_event *ret)
{
    *ret = SR_LEX_NONE;
    size_t i = 0, kept_from = 0; /* p[kept_from .. i] is of the statement and not in its text yet */
    while (i < len && *ret == SR_LEX_NONE) {
        size_t n = sr_pg_lex_run(x, p + i, len - i);
        int kept = !x->empty && !is_comment(x->state);
        if (n == 0) {
            if (x->care > SR_LEX_PLAIN && p[i] == '\0' &&
                suspect(x, SR_LEX_CAREFUL, "a NUL byte", ret))
                return i + 1;
            kept = take(x, p[i], ret);
            n = 1;
        }
        if (!kept) {
            text_add(x, p + kept_from, i - kept_from);
            kept_from = i + n;
        }
        i += n;
    }
    text_add(x, p + kept_from, i - kept_from);
    return i;
}

void sr_pg_lex_end(struct sr_pg_lex *x)
{
    word_end(x);
}
