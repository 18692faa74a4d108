/* SQL as psql's own lexer takes it apart: statements, comments, quotes, backslashes.
 *
 *     sr_pg_lex_init(&x, careful);
 *     while (len > 0) {
 *         n = sr_pg_lex_feed(&x, p, len, &event);      // stops after each event
 *         ...
 *     }
 *
 * What matters is where psql would see a backslash command or the end of a statement, so this
 * follows psql and not the server where they differ: psql looks at one line at a time, ends a --
 * comment at a carriage return too, and counts BEGIN ... END in CREATE FUNCTION. Where versions of
 * psql differ, or its settings decide, or psql would send to the server as one statement what the
 * server takes for several, the event is SUSPECT. Fixed memory; any split of the input gives the
 * same events.
 */
#ifndef SR_SOURCE_PG_LEX_H
#define SR_SOURCE_PG_LEX_H

#include <stddef.h>
#include <stdint.h>

#define SR_PG_LEX_WORD 64   /* longest keyword or setting of interest, and more */
#define SR_PG_LEX_TAG 67    /* a dollar quote's tag of 64 characters, its two $ and one more */
#define SR_PG_LEX_TEXT 1024 /* kept of each statement: a COPY's table, a SET's value */

enum sr_pg_lex_event {
    SR_LEX_NONE,      /* all input taken */
    SR_LEX_STATEMENT, /* took the ; that ends a statement; its facts hold until the next feed */
    SR_LEX_BACKSLASH, /* took a backslash outside quotes and comments */
    SR_LEX_SUSPECT,   /* took something that psql may read in two ways; x->suspect says what */
};

enum sr_pg_lex_care {
    SR_LEX_PLAIN,   /* no suspects */
    SR_LEX_CAREFUL, /* what no pg_dump writes and versions of psql read differently */
    SR_LEX_STRICT,  /* and what depends on settings that a dump can change unseen */
};

enum sr_pg_lex_state {
    SR_LEX_SQL,
    SR_LEX_DASH,
    SR_LEX_SLASH,
    SR_LEX_COLON,
    SR_LEX_CR,
    SR_LEX_U_AMP,
    SR_LEX_LINE_COMMENT,
    SR_LEX_LINE_COMMENT_CR,
    SR_LEX_BLOCK_COMMENT,
    SR_LEX_BLOCK_SLASH,
    SR_LEX_BLOCK_STAR,
    SR_LEX_QUOTE,
    SR_LEX_QUOTE_END,
    SR_LEX_EQUOTE,
    SR_LEX_EQUOTE_ESCAPE,
    SR_LEX_EQUOTE_END,
    SR_LEX_DQUOTE,
    SR_LEX_DQUOTE_END,
    SR_LEX_DOLLAR_TAG,
    SR_LEX_DOLLAR,
};

enum sr_pg_lex_token {
    SR_LEX_TOKEN_NONE,
    SR_LEX_TOKEN_WORD,
    SR_LEX_TOKEN_NUMBER,
    SR_LEX_TOKEN_VARIABLE, /* :name */
};

struct sr_pg_lex {
    enum sr_pg_lex_care care;
    enum sr_pg_lex_state state;
    enum sr_pg_lex_token token; /* what the last character belongs to */
    char word[SR_PG_LEX_WORD];  /* the word so far, in lower case, cut */
    size_t word_len;            /* its whole length */
    int number_has_exponent;
    int colon_quote;     /* the quote that just opened follows a colon */
    int odd_backslashes; /* before this character of a plain string */
    int high_before;     /* the last character of an E string had its high bit set */
    uint64_t comment_depth;
    uint64_t paren_depth, begin_depth;
    int body_begins; /* BEGIN was the last word of a CREATE FUNCTION: ATOMIC must follow */
    int body_odd;    /* psql and server disagree about where the function's body is */
    unsigned words;  /* of the statement, counted to a small maximum */
    char start[4];   /* psql's memory of CREATE [OR REPLACE] FUNCTION */
    char tag[SR_PG_LEX_TAG];
    size_t tag_len, tag_match;
    uint64_t line; /* of the next character, from 1 */
    const char *suspect;
    int suspect_is_strict; /* no SUSPECT but for SR_LEX_STRICT: honest dumps have it, too */

    /* Facts about the statement. */
    int empty;                  /* nothing but blanks and comments so far */
    int at_line_start;          /* it began there */
    int column_zero;            /* the next character is the first of its line */
    char first[SR_PG_LEX_WORD]; /* its first word */
    int from_stdin;             /* FROM and STDIN stood side by side, outside parentheses, last */
    int had_stdin;              /* the same, whatever followed */
    int from_just_now;
    char text[SR_PG_LEX_TEXT]; /* its beginning, without comments, NUL-terminated */
    size_t text_len;           /* as kept */
};

void sr_pg_lex_init(struct sr_pg_lex *x, enum sr_pg_lex_care care);
/* Takes up to len bytes, up to and including the one that makes an event; how many it took. */
size_t sr_pg_lex_feed(struct sr_pg_lex *x, const char *p, size_t len, enum sr_pg_lex_event *ret);
/* The input has ended: a word may have, too. For the facts about a statement without its ;. */
void sr_pg_lex_end(struct sr_pg_lex *x);
/* Forgets the statement, after its end or a backslash command that is not part of it. */
void sr_pg_lex_statement_new(struct sr_pg_lex *x);
/* Nonzero outside quotes and comments, a line comment that the end of input ends aside. */
int sr_pg_lex_outside(const struct sr_pg_lex *x);

#endif
