/* The lexer's quick way through the insides of words, numbers, quotes and comments; pg_lex.c alone
 * calls it.
 *
 *     n = sr_pg_lex_run(x, p, len);      // 0: this byte is for the state machine
 *
 * A run never holds a line's end or a NUL, so that lines and NULs are looked after in one place,
 * and leaves x as the state machine would have, byte by byte.
 */
#ifndef SR_SOURCE_PG_LEX_RUN_H
#define SR_SOURCE_PG_LEX_RUN_H

#include "core/source/pg_lex.h"

/* How many of the len bytes at p x's state goes on with, which are then taken. */
size_t sr_pg_lex_run(struct sr_pg_lex *x, const char *p, size_t len);
/* Adds n bytes to the word being read: its length whole, its text in lower case as far as kept. */
void sr_pg_lex_word(struct sr_pg_lex *x, const char *p, size_t n);

#endif
