/* strongroom-child: what stands between strongroom and a program it runs.
 *
 *     strongroom-child MODE PARENT STATUS_FD KEEP PROGRAM ARG0 [ARG...]
 *
 * posix_spawn cannot ask for a parent-death signal, and a handler between fork and exec in a
 * threaded program may do next to nothing; a program of its own has no such limits. It asks for
 * SIGKILL on the parent's death, makes sure that the parent did not die before that, closes what
 * the child must not inherit, and becomes PROGRAM. MODE is "exec" for just that, or "watch": then a
 * process stays between the two that ends all that PROGRAM forks (watch.c). KEEP is a
 * comma-separated list of descriptors that stay open, "-" for none. A failure's errno goes to
 * STATUS_FD, which closes by itself when PROGRAM starts. Uses nothing of core, so that it stays
 * small and starts fast.
 */
#include "config.h"
#include "core/child/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

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

void child_fail(int status_fd, int errnum)
{
    (void)!write(status_fd, &errnum, sizeof errnum);
    _exit(CHILD_NOT_STARTED);
}

void child_close_from(int first, int at_exec)
{
#if defined(SYS_close_range)
    enum { CLOEXEC_FLAG = 1 << 2 };
    if (syscall(SYS_close_range, (unsigned)first, ~0u, at_exec ? CLOEXEC_FLAG : 0) == 0)
        return;
#endif
    struct rlimit lim;
    rlim_t most =
        getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur < 65536 ? lim.rlim_cur : 65536;
    for (int fd = first; (rlim_t)fd < most; fd++)
        (void)(at_exec ? fcntl(fd, F_SETFD, FD_CLOEXEC) : close(fd));
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

static int mode_is(const char *mode, int *ret_watch)
{
    *ret_watch = strcmp(mode, "watch") == 0;
    return *ret_watch || strcmp(mode, "exec") == 0;
}

int main(int argc, char **argv)
{
    long parent = 0, status_fd = 0;
    int watch = 0;
    if (argc < 7 || !mode_is(argv[1], &watch) || number(argv[2], 0x7fffffff, &parent) != 0 ||
        number(argv[3], 65535, &status_fd) != 0 || status_fd < 3) {
        static const char usage[] = "strongroom-child is run by strongroom, not by hand\n";
        (void)!write(STDERR_FILENO, usage, sizeof usage - 1);
        return 2;
    }
    if (watch)
        parent = child_watched((pid_t)parent, (int)status_fd);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        child_fail((int)status_fd, errno);
    /* The parent may have died before the signal was asked for: nobody waits for us then. */
    if ((long)getppid() != parent)
        _exit(CHILD_NOT_STARTED);
    /* Whoever opened them without O_CLOEXEC. */
    child_close_from(STDERR_FILENO + 1, 1);
    int failed = keep_open(argv[4]);
    if (failed != 0)
        child_fail((int)status_fd, failed);
    execv(argv[5], argv + 6);
    child_fail((int)status_fd, errno);
}
