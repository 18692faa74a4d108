/* The one that watches over a program that forks.
 *
 * Only the kernel can end a process for certain when another dies, and its parent-death signal
 * reaches children, never grandchildren: pg_restore's workers would finish what they are at, and
 * their backends too. So a process stays between strongroom and PROGRAM, in PROGRAM's group, and
 *
 *   - ends the whole group, also a stopped one, when strongroom is gone: TERM first, upon which
 *     pg_dump and pg_restore cancel what the server does for them, KILL for what is left after a
 *     while;
 *   - ends what PROGRAM leaves behind in the group when it ends by itself;
 *   - then ends as PROGRAM did, with its exit status or by its signal.
 *
 * It holds no descriptor, so that nobody waits in vain for the end of a pipe, and blocks every
 * signal, so that those meant for the group reach PROGRAM alone. Should it be killed itself,
 * PROGRAM dies with it, and strongroom, which sees it go, ends the rest. A process that has left
 * the group is on its own.
 */
#include "config.h"
#include "core/child/child.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GRACE_SECONDS 2
#define LOOK_SECONDS 1
#define WATCH_NAME "sr-watch" /* `pkill strongroom` must not take it along */

/* Reaps what has ended. Nonzero while others of the group are left: what PROGRAM forked is our
 * child once its own parent is gone. A daemon outside the group counts for nothing. */
static int others_left(pid_t group)
{
    pid_t got;
    do
        got = waitpid(-group, NULL, WNOHANG);
    while (got > 0 || (got < 0 && errno == EINTR));
    return got == 0;
}

static int64_t now_ms(void)
{
    struct timespec t = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void end_group(const sigset_t *all, pid_t parent)
{
    pid_t group = getpgrp();
    int64_t end = now_ms() + GRACE_SECONDS * 1000;
    (void)kill(0, SIGTERM);
    (void)kill(0, SIGCONT);
    while (others_left(group)) {
        int64_t left = end - now_ms();
        if (left > 0) {
            struct timespec t = {left / 1000, (left % 1000) * 1000000};
            (void)sigtimedwait(all, NULL, &t);
        } else if (getpgrp() != group || setpgid(0, getpgid(parent)) == 0) {
            /* Out of the group, or we could not tell how PROGRAM ended; our pid keeps the group's
             * number from being given away. */
            (void)kill(-group, SIGKILL);
            end = now_ms() + GRACE_SECONDS * 1000;
        } else {
            /* Nobody is there any more to be told. */
            (void)kill(0, SIGKILL);
        }
    }
}

/* Ends as PROGRAM did. */
static _Noreturn void pass_on(int status)
{
    if (WIFSIGNALED(status)) {
        sigset_t one;
        (void)sigemptyset(&one);
        (void)sigaddset(&one, WTERMSIG(status));
        /* A core of ours would tell nothing. */
        (void)prctl(PR_SET_DUMPABLE, 0);
        (void)kill(getpid(), WTERMSIG(status));
        (void)sigprocmask(SIG_UNBLOCK, &one, NULL);
        _exit(128 + WTERMSIG(status));
    }
    _exit(WEXITSTATUS(status));
}

static _Noreturn void watch(const sigset_t *all, pid_t parent, pid_t program)
{
    const struct timespec look = {.tv_sec = LOOK_SECONDS};
    for (;;) {
        int status = 0;
        pid_t got;
        /* Whichever it is, what happened is looked at below; those for the group are swallowed. A
         * TSTP or TTIN for the group throws away a CONT that is not taken yet, hence the look by
         * the clock. */
        (void)sigtimedwait(all, NULL, &look);
        if (getppid() != parent) {
            end_group(all, parent);
            /* Also whoever is in the group but a child of one that left it. */
            (void)kill(0, SIGKILL);
        }
        while ((got = waitpid(-1, &status, WNOHANG)) > 0) {
            if (got != program)
                continue;
            end_group(all, parent);
            pass_on(status);
        }
    }
}

pid_t child_watched(pid_t parent, int status_fd)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    /* Comes also when no more than the thread ended that started us, so it must not kill. SIGCONT,
     * because nothing else reaches one that was stopped together with the group. */
    if (prctl(PR_SET_PDEATHSIG, SIGCONT) != 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        child_fail(status_fd, errno);
    if (getppid() != parent)
        _exit(CHILD_NOT_STARTED);
    pid_t self = getpid(), program = fork();
    if (program < 0)
        child_fail(status_fd, errno);
    if (program == 0) {
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        return self;
    }
    (void)prctl(PR_SET_NAME, WATCH_NAME);
    child_close_from(0, 0);
    watch(&all, parent, program);
}
