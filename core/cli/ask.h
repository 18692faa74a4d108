/* A question on the terminal. */
#ifndef SR_CLI_ASK_H
#define SR_CLI_ASK_H

/* Nonzero when somebody can be asked: standard input is a terminal. A terminal elsewhere does not
 * count, so that a job with its input from /dev/null or a pipe is refused at once, not left
 * waiting. */
int sr_ask_possible(void);

/* Shape of sr_restore_options.confirm; ctx is the struct sr_context, whose cancellation ends the
 * wait. Asks on /dev/tty, or on standard error and input. Nonzero only for "y" or "yes". */
int sr_ask(void *ctx, const char *question);

/* Whether an answer means yes. Pure. */
int sr_ask_is_yes(const char *answer);

#endif
