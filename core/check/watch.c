#include "config.h"
#include "core/check/watch.h"
#include "core/util/subprocess.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Shared by parent and child. */
struct check_watch {
    atomic_uint_fast64_t beats;
    _Atomic(const char *) doing; /* static text: at the same address in both */
    atomic_uint number;          /* of the last point that was told */
    atomic_int finished;         /* tried returned */
};

void check_beat(struct check *c)
{
    atomic_fetch_add_explicit(&c->watch->beats, 1, memory_order_relaxed);
    atomic_store_explicit(&c->watch->number, c->number, memory_order_relaxed);
}

void check_doing(struct check *c, const char *what)
{
    atomic_store(&c->watch->doing, what);
    check_beat(c);
}

const char *check_was_doing(const struct check *c)
{
    return atomic_load(&c->watch->doing);
}

int check_watch_new(struct check *c, struct sr_error *err)
{
    const char *tmp = getenv("TMPDIR");
    struct check_watch *w =
        mmap(NULL, sizeof *w, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (w == MAP_FAILED)
        return sr_fail_errno(err, errno, "cannot share memory with a child");
    atomic_store(&w->doing, "no call at all");
    c->watch = w;
    int n = snprintf(c->scratch, sizeof c->scratch, "%s/plugin-check-XXXXXX",
                     tmp && *tmp == '/' ? tmp : "/tmp");
    if (n < 0 || (size_t)n >= sizeof c->scratch)
        (void)snprintf(c->scratch, sizeof c->scratch, "/tmp/plugin-check-XXXXXX");
    if (!mkdtemp(c->scratch)) {
        int e = errno;
        char wanted[sizeof c->scratch];
        memcpy(wanted, c->scratch, sizeof wanted);
        c->scratch[0] = '\0';
        return sr_fail_errno(err, e, "cannot make the folder %s", wanted);
    }
    return SR_OK;
}

/* The child's status, or -1 when it shows no sign of life any more. */
static int await(const struct check *c, pid_t pid)
{
    const struct timespec tenth = {0, 100000000};
    uint64_t seen = atomic_load(&c->watch->beats), still = 0;
    for (;;) {
        int status;
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid)
            return status;
        if (got < 0 && errno != EINTR)
            return -1;
        uint64_t now = atomic_load(&c->watch->beats);
        still = now == seen ? still + 1 : 0;
        seen = now;
        if (still > c->patience * 10)
            return -1;
        (void)nanosleep(&tenth, NULL);
    }
}

static int bail(const struct check *c, const char *what)
{
    (void)printf("Bail out! in %s, after point %u, the plugin %s\n", atomic_load(&c->watch->doing),
                 atomic_load(&c->watch->number), what);
    return 1;
}

int check_watch_run(struct check *c, int (*tried)(struct check *c))
{
    char text[SR_CHILD_STATUS_TEXT + 64];
    (void)fflush(NULL);
    pid_t parent = getpid(), pid = fork();
    if (pid < 0) {
        (void)printf("Bail out! cannot start a process: %s\n", strerror(errno));
        return 2;
    }
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(2);
        int status = tried(c);
        atomic_store(&c->watch->finished, 1);
        exit(status); /* with the plugin's own exit handlers, as in any other host */
    }
    int status = await(c, pid);
    if (status < 0) {
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, &status, 0);
        (void)snprintf(text, sizeof text, "showed no sign of life for %llu seconds",
                       (unsigned long long)c->patience);
        return bail(c, text);
    }
    int finished = atomic_load(&c->watch->finished);
    if (finished && WIFEXITED(status))
        return WEXITSTATUS(status);
    if (finished)
        check_doing(c, "the end of the process");
    int n = snprintf(text, sizeof text, "ended the process: ");
    sr_child_status_text(status, text + n, sizeof text - (size_t)n);
    return bail(c, text);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void check_watch_done(struct check *c)
{
    if (c->scratch[0])
        (void)nftw(c->scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (c->watch)
        (void)munmap(c->watch, sizeof *c->watch);
    c->watch = NULL;
}
