/* Exit codes: the one place where an error becomes a number for the shell. */
#ifndef SR_CLI_EXIT_H
#define SR_CLI_EXIT_H

enum sr_exit {
    SR_EXIT_DONE = 0,
    SR_EXIT_FAILED = 1,
    SR_EXIT_USAGE = 2,   /* wrong usage or configuration */
    SR_EXIT_PARTLY = 3,  /* enough stores hold the set, another failed */
    SR_EXIT_REFUSED = 4, /* by a guard, or not confirmed */
    SR_EXIT_NO_BACKUP = 10,
    SR_EXIT_BUSY = 11,
    SR_EXIT_KEY = 12,
    SR_EXIT_CORRUPT = 13,
    SR_EXIT_EXISTS = 14,
    SR_EXIT_UNTESTABLE = 15,
    SR_EXIT_SIGNAL = 128, /* plus the signal's number */
};

/* code: of enum sr_code. looks_up: the verb looks a backup up, so not-found means that there is no
 * such backup; elsewhere it is a failure like others. signo: the signal that asked for the end, or
 * 0; what was completed in spite of it (done, partly) keeps its code. */
int sr_exit_code(int code, int looks_up, int signo);

struct sr_exit_text {
    int code;
    const char *text;
};
/* What the codes mean, for help; ended by a NULL text. */
extern const struct sr_exit_text sr_exit_texts[];

#endif
