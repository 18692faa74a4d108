#include "config.h"
#include "core/cli/exit.h"
#include "core/cli/help.h"
#include "core/cli/options.h"
#include "core/cli/output.h"
#include "core/cli/screen.h"
#include "core/cli/session.h"
#include "core/util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A program started with one of 0, 1, 2 closed would get its first file under that number and print
 * into it. /dev/null takes the place, opened the wrong way round, so that using it is an error. */
static int descriptors_fill(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF && open("/dev/null", modes[fd]) != fd)
            return -1;
    return 0;
}

static void line_report(const char *text, const char *before, int log_json)
{
    if (log_json) {
        sr_log(SR_LOG_ERROR, "%s", text);
        return;
    }
    struct sr_buf b;
    sr_buf_init(&b, strlen(text) * 8 + 1);
    /* Lines of a message (a list of what is missing, what a child printed) stay lines. */
    if (sr_screen_add(&b, text, 1) == SR_OK)
        (void)fprintf(stderr, "%s%s\n", before, sr_buf_str(&b));
    sr_buf_done(&b);
}

/* The one place where a failure is told. */
static void report(const struct sr_error *e, const struct sr_strlist *details, int log_json)
{
    if (!*e->text)
        return;
    line_report(e->text, "strongroom: ", log_json);
    for (size_t i = 0; details && i < details->len; i++)
        line_report(details->items[i], "", log_json);
}

/* --help and --version stand for the verbs of these names. */
static int redirect(struct sr_args *a, struct sr_error *err)
{
    const char *to = sr_args_flag(a, "help")      ? "help"
                     : sr_args_flag(a, "version") ? "version"
                                                  : NULL;
    if (!to)
        return SR_OK;
    const struct sr_verb *asked = a->verb;
    int rc = sr_verb_find(sr_verbs, to, &a->verb, err);
    if (rc != SR_OK)
        return rc;
    sr_strlist_done(&a->operands);
    if (asked && strcmp(to, "help") == 0 && sr_strlist_add(&a->operands, asked->name) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory while reading the command line");
    return SR_OK;
}

static int usage_without_verb(struct sr_error *err)
{
    struct sr_buf b;
    sr_buf_init(&b, 65536);
    if (sr_help_general(sr_verbs, sr_common_options, &b) == SR_OK)
        (void)fputs(sr_buf_str(&b), stderr);
    sr_buf_done(&b);
    return sr_fail(err, SR_E_USAGE, "no verb was given");
}

int main(int argc, char **argv)
{
    struct sr_args args = {0};
    struct sr_output out;
    struct sr_session session = {0};
    struct sr_error err = SR_ERROR_INIT, lost = SR_ERROR_INIT;

    if (descriptors_fill() != 0)
        return SR_EXIT_FAILED;
    /* Everything that is made here is for its owner alone. */
    (void)umask(077);

    int rc = sr_args_parse(sr_verbs, sr_common_options, argc, argv, &args, &err);
    if (rc == SR_OK)
        rc = redirect(&args, &err);
    if (rc == SR_OK && !args.verb)
        rc = usage_without_verb(&err);
    int quiet = rc == SR_OK && sr_args_flag(&args, "quiet") && args.verb->acts;
    sr_output_init(&out, stdout, sr_args_wants_json(argc, argv), quiet);
    if (rc == SR_OK)
        rc = sr_session_run(&args, &out, &session, &err);

    int code = sr_exit_code(rc, args.verb && args.verb->looks_up, session.signo);
    if (rc != SR_OK)
        report(&err, &out.details, session.log_json);
    if (sr_output_finish(&out, rc == SR_OK ? NULL : &err, code, &lost) != SR_OK) {
        report(&lost, NULL, session.log_json);
        code = code == SR_EXIT_DONE ? SR_EXIT_FAILED : code;
    }
    sr_args_done(&args);
    return code;
}
