/* strongroom-child: what stands between strongroom and a program it runs.
 *
 *     strongroom-child PARENT STATUS_FD KEEP PROGRAM ARG0 [ARG...]
 *
 * posix_spawn cannot ask for a parent-death signal, and a handler between fork and exec in a
 * threaded program may do next to nothing; a program of its own has no such limits. It asks for
 * SIGKILL on the parent's death, makes sure that the parent did not die before that, closes what
 * the child must not inherit, and becomes PROGRAM. KEEP is a comma-separated list of descriptors
 * that stay open, "-" for none. A failure's errno goes to STATUS_FD, which closes by itself when
 * PROGRAM starts. Uses nothing of core, so that it stays small and starts fast.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXIT_NOT_STARTED 127

static int number(const char *s, long most, long *ret)
{
    char *end = NULL;
    errno = 0;
    long v = strtol(s, &end, 10);
    if (errno != 0 || end == s || *end != '\0' || v < 0 || v > most)
        return -1;
    *ret = v;
    return 0;
}

static void fail(int status_fd, int errnum)
{
    (void)!write(status_fd, &errnum, sizeof errnum);
    _exit(EXIT_NOT_STARTED);
}

/* Everything above standard error closes at exec, whoever opened it without O_CLOEXEC. */
static void close_later(void)
{
#if defined(SYS_close_range)
    enum { CLOEXEC_FLAG = 1 << 2 };
    if (syscall(SYS_close_range, 3u, ~0u, CLOEXEC_FLAG) == 0)
        return;
#endif
    struct rlimit lim;
    rlim_t most =
        getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur < 65536 ? lim.rlim_cur : 65536;
    for (int fd = 3; (rlim_t)fd < most; fd++)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* Digits and commas only, as sr_child_spawn writes them. */
static int keep_open(const char *list)
{
    if (list[0] == '-' && list[1] == '\0')
        return 0;
    while (*list) {
        char *end = NULL;
        errno = 0;
        long fd = strtol(list, &end, 10);
        if (errno != 0 || end == list || fd < 3 || fd > 65535 || (*end && *end != ','))
            return EINVAL;
        if (fcntl((int)fd, F_SETFD, 0) != 0)
            return errno;
        list = *end ? end + 1 : end;
    }
    return 0;
}

int main(int argc, char **argv)
{
    long parent = 0, status_fd = 0;
    if (argc < 6 || number(argv[1], 0x7fffffff, &parent) != 0 ||
        number(argv[2], 65535, &status_fd) != 0 || status_fd < 3) {
        static const char usage[] = "strongroom-child is run by strongroom, not by hand\n";
        (void)!write(STDERR_FILENO, usage, sizeof usage - 1);
        return 2;
    }
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        fail((int)status_fd, errno);
    /* The parent may have died before the signal was asked for: nobody waits for us then. */
    if ((long)getppid() != parent)
        _exit(EXIT_NOT_STARTED);
    close_later();
    int failed = keep_open(argv[3]);
    if (failed != 0)
        fail((int)status_fd, failed);
    execv(argv[4], argv + 5);
    fail((int)status_fd, errno);
}
