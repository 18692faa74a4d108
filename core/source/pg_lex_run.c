/* Runs: most bytes of a dump change nothing about where the lexer is, and are skipped by a table.
 */
#include "config.h"
#include "core/source/pg_lex_run.h"

enum run_class {
    RUN_QUOTE = 1 << 0, /* goes on with: a '...' */
    RUN_EQUOTE = 1 << 1,
    RUN_DQUOTE = 1 << 2,
    RUN_DOLLAR = 1 << 3,
    RUN_LINE_COMMENT = 1 << 4,
    RUN_BLOCK_COMMENT = 1 << 5,
    RUN_WORD = 1 << 6,
    RUN_NUMBER = 1 << 7,
    RUN_BLANK = 1 << 8, /* between tokens */
};

/* A line's end is in no class, so that lines are counted in one place; nor is NUL. */
#define ORDINARY \
    (RUN_QUOTE | RUN_EQUOTE | RUN_DQUOTE | RUN_DOLLAR | RUN_LINE_COMMENT | RUN_BLOCK_COMMENT)
#define LETTER (ORDINARY | RUN_WORD)
#define DIGIT (ORDINARY | RUN_WORD | RUN_NUMBER)

static const unsigned short classes[256] = {
    [1 ... '\t' - 1] = ORDINARY,
    ['\t'] = ORDINARY | RUN_BLANK,
    ['\n' + 1 ... '\r' - 1] = ORDINARY,
    ['\r'] = ORDINARY & ~RUN_LINE_COMMENT,
    ['\r' + 1 ... ' ' - 1] = ORDINARY,
    [' '] = ORDINARY | RUN_BLANK,
    ['!'] = ORDINARY,
    ['"'] = ORDINARY & ~RUN_DQUOTE,
    ['#'] = ORDINARY,
    ['$'] = (ORDINARY | RUN_WORD) & ~RUN_DOLLAR,
    ['%' ... '&'] = ORDINARY,
    ['\''] = ORDINARY & ~(RUN_QUOTE | RUN_EQUOTE),
    ['(' ... ')'] = ORDINARY,
    ['*'] = ORDINARY & ~RUN_BLOCK_COMMENT,
    ['+' ... '-'] = ORDINARY,
    ['.'] = ORDINARY | RUN_NUMBER,
    ['/'] = ORDINARY & ~RUN_BLOCK_COMMENT,
    ['0' ... '9'] = DIGIT,
    [':' ... '@'] = ORDINARY,
    ['A' ... 'Z'] = LETTER,
    ['['] = ORDINARY,
    ['\\'] = ORDINARY & ~(RUN_QUOTE | RUN_EQUOTE),
    [']' ... '^'] = ORDINARY,
    ['_'] = LETTER,
    ['`'] = ORDINARY,
    ['a' ... 'z'] = LETTER,
    ['{' ... 0x7f] = ORDINARY,
    [0x80 ... 0xff] = LETTER,
};

/* The class that the state goes on with; 0: each byte matters. */
static unsigned run_class(const struct sr_pg_lex *x)
{
    switch (x->state) {
    case SR_LEX_SQL:
        return x->token == SR_LEX_TOKEN_WORD     ? RUN_WORD
               : x->token == SR_LEX_TOKEN_NUMBER ? RUN_NUMBER
               : x->token == SR_LEX_TOKEN_NONE   ? RUN_BLANK
                                                 : 0;
    case SR_LEX_QUOTE:
        return x->colon_quote ? 0 : RUN_QUOTE;
    case SR_LEX_DQUOTE:
        return x->colon_quote ? 0 : RUN_DQUOTE;
    case SR_LEX_EQUOTE:
        return RUN_EQUOTE;
    case SR_LEX_DOLLAR:
        return x->tag_match == 0 ? RUN_DOLLAR : 0;
    case SR_LEX_LINE_COMMENT:
        return RUN_LINE_COMMENT;
    case SR_LEX_BLOCK_COMMENT:
        return RUN_BLOCK_COMMENT;
    default:
        return 0;
    }
}

void sr_pg_lex_word(struct sr_pg_lex *x, const char *p, size_t n)
{
    for (size_t i = 0; i < n && x->word_len + i < sizeof x->word; i++)
        x->word[x->word_len + i] = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] + 32) : p[i];
    x->word_len += n;
}

/* Does for n > 0 bytes of a run what step would do for each. */
static void run_take(struct sr_pg_lex *x, const char *p, size_t n)
{
    switch (x->state) {
    case SR_LEX_SQL:
        if (x->token == SR_LEX_TOKEN_WORD)
            sr_pg_lex_word(x, p, n);
        break;
    case SR_LEX_QUOTE:
        x->odd_backslashes = 0;
        break;
    case SR_LEX_EQUOTE:
        x->high_before = ((unsigned char)p[n - 1] & 0x80) != 0;
        break;
    default:
        break;
    }
    x->column_zero = 0;
}

size_t sr_pg_lex_run(struct sr_pg_lex *x, const char *p, size_t len)
{
    unsigned class = run_class(x);
    size_t n = 0;
    while (n < len && (classes[(unsigned char)p[n]] & class))
        n++;
    if (n > 0)
        run_take(x, p, n);
    return n;
}
