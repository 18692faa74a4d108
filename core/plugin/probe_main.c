/* strongroom-probe FILE: loads one plugin and says how far it came; see probe.h. Run by strongroom,
 * not by people. */
#include "config.h"
#include "core/plugin/attach.h"
#include "core/util/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void step(void *ctx, const char *what)
{
    (void)dprintf(*(int *)ctx, "at %s\n", what);
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
    if (answer < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return 2;
    struct sr_abi abi;
    struct sr_error err = SR_ERROR_INIT;
    int rc = sr_plugin_attach(argv[1], step, &answer, &abi, &err);
    if (rc == SR_OK)
        (void)dprintf(answer, "ok\n");
    else
        (void)dprintf(answer, "refused %d %.*s\n", rc, (int)strcspn(err.text, "\n"), err.text);
    /* No exit handlers and destructors of the plugin: whether it ends well is not the question. */
    _exit(0);
}
