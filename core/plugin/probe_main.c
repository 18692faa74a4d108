/* strongroom-probe FILE: loads one plugin and says how far it came; see probe.h. Run by strongroom,
 * not by people. */
#include "config.h"
#include "core/plugin/attach.h"
#include "core/util/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void step(void *ctx, const char *what)
{
    (void)dprintf(*(int *)ctx, "at %s\n", what);
}

/* The standard streams as the plugin found them: a pipe end or file of ours in each place. */
struct streams {
    struct stat was[3];
    int caught; /* what went to the standard output, in memory */
};

static int streams_set(struct streams *s)
{
    s->caught = memfd_create("stdout", MFD_CLOEXEC);
    if (s->caught < 0 || dup2(s->caught, STDOUT_FILENO) < 0)
        return -1;
    for (int fd = 0; fd < 3; fd++)
        if (fstat(fd, &s->was[fd]) != 0)
            return -1;
    return 0;
}

/* Results go to the standard output: nothing else may, nor may it point elsewhere afterwards. */
static int streams_check(const struct streams *s, const char *file, struct sr_error *err)
{
    static const char *const names[] = {"input", "output", "error"};
    for (int fd = 0; fd < 3; fd++) {
        struct stat now;
        if (fstat(fd, &now) != 0)
            return sr_fail(err, SR_E_CONFIG,
                           "plugin %s refused: by the end of its load it had closed the standard "
                           "%s (descriptor %d), which is strongroom's",
                           file, names[fd], fd);
        if (now.st_dev != s->was[fd].st_dev || now.st_ino != s->was[fd].st_ino)
            return sr_fail(err, SR_E_CONFIG,
                           "plugin %s refused: by the end of its load it had replaced the standard "
                           "%s (descriptor %d), which is strongroom's",
                           file, names[fd], fd);
    }
    struct stat out;
    (void)fflush(stdout);
    if (fstat(s->caught, &out) == 0 && out.st_size > 0)
        return sr_fail(err, SR_E_CONFIG,
                       "plugin %s refused: while being loaded it wrote %lld bytes to the standard "
                       "output, 0 are allowed there: it would get into strongroom's results",
                       file, (long long)out.st_size);
    return SR_OK;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: strongroom-probe FILE\n");
        return 2;
    }
    /* A crash here is an answer, not something to keep a core file of. */
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    sr_log_setup(SR_LOG_ERROR, SR_LOG_TEXT);
    /* What the plugin prints must not pass for our answer. */
    int answer = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    struct streams streams;
    if (answer < 0 || streams_set(&streams) != 0)
        return 2;
    struct sr_abi abi;
    struct sr_error err = SR_ERROR_INIT;
    int rc = sr_plugin_attach(argv[1], step, &answer, &abi, &err);
    if (rc == SR_OK)
        rc = streams_check(&streams, argv[1], &err);
    if (rc == SR_OK)
        (void)dprintf(answer, "ok\n");
    else
        (void)dprintf(answer, "refused %d %.*s\n", rc, (int)strcspn(err.text, "\n"), err.text);
    /* No exit handlers and destructors of the plugin: whether it ends well is not the question. */
    _exit(0);
}
