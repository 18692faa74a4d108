/* What is done with a child that runs: wait, end, feed, or all of it in one call. */
#include "config.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/clock.h"
#include "core/util/excerpt.h"
#include "core/util/subprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define RUN_GRACE_MS 2000

/* Milliseconds left until `end` (monotonic nanoseconds), at least 0; -1 when there is no end. */
static int ms_left(int64_t end)
{
    if (end < 0)
        return -1;
    int64_t left = end - sr_clock_monotonic(&sr_clock_system);
    return left <= 0 ? 0 : (int)((left + 999999) / 1000000);
}

static int64_t ms_end(int timeout_ms)
{
    return timeout_ms < 0 ? -1
                          : sr_clock_monotonic(&sr_clock_system) + (int64_t)timeout_ms * 1000000;
}

/* Waits until the leader of the group is a zombie, without reaping it, so that its pid still keeps
 * the group's id from being given to others. 1: it is, 0: not in time, -1: errno. */
static int wait_ended(pid_t pid, int timeout_ms)
{
    int64_t end = ms_end(timeout_ms);
    _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0u);
    for (;;) {
        siginfo_t info = {0};
        int flags = WEXITED | WNOWAIT | (timeout_ms < 0 ? 0 : WNOHANG);
        if (waitid(P_PID, (id_t)pid, &info, flags) != 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        if (info.si_pid == pid)
            return 1;
        int left = ms_left(end);
        if (left == 0)
            return 0;
        if (pidfd >= 0) {
            struct pollfd p = {.fd = pidfd, .events = POLLIN};
            (void)poll(&p, 1, left);
        } else {
            /* A kernel or sandbox without pidfds: look again soon. */
            (void)poll(NULL, 0, left < 10 ? left : 10);
        }
    }
}

static int reap(struct sr_child *c, int *ret_status)
{
    int status = 0;
    pid_t got;
    do
        got = waitpid(c->pid, &status, 0);
    while (got < 0 && errno == EINTR);
    c->pid = 0;
    if (got < 0)
        return -1;
    *ret_status = status;
    return 0;
}

int sr_child_wait(struct sr_child *c, int timeout_ms, int *ret_status, struct sr_error *err)
{
    if (c->pid <= 0)
        return sr_fail(err, SR_E_INTERNAL, "waiting for a child process that is not there");
    pid_t pid = c->pid;
    int ended = wait_ended(pid, timeout_ms);
    if (ended == 0)
        return sr_fail(err, SR_E_AGAIN, "process %ld still runs", (long)pid);
    /* What it left in its group, before its pid, which is the group's number, may be given away. */
    if (ended > 0)
        (void)kill(-pid, SIGKILL);
    if (ended < 0 || reap(c, ret_status) != 0) {
        c->pid = 0;
        return sr_fail_errno(err, errno, "waiting for process %ld", (long)pid);
    }
    return SR_OK;
}

void sr_child_kill(struct sr_child *c, int grace_ms)
{
    int status;
    if (c->pid <= 0)
        return;
    (void)kill(-c->pid, SIGTERM);
    (void)kill(-c->pid, SIGCONT);
    (void)wait_ended(c->pid, grace_ms < 0 ? 0 : grace_ms);
    /* Also when the leader went at once: it may have left others of its group behind. */
    (void)kill(-c->pid, SIGKILL);
    /* One that watches may have left the group to see it end. */
    (void)kill(c->pid, SIGKILL);
    (void)reap(c, &status);
}

static void close_end(int *fd)
{
    int e = errno;
    if (*fd >= 0)
        (void)close(sr_steal_fd(fd));
    errno = e;
}

void sr_child_close_in(struct sr_child *c)
{
    close_end(&c->in);
}

void sr_child_done(struct sr_child *c)
{
    close_end(&c->in);
    close_end(&c->out);
    close_end(&c->err);
    sr_child_kill(c, 0);
}

/* write(2) whose SIGPIPE, if it causes one, never reaches the program: a library must not decide
 * about a signal for the whole process. */
static ssize_t write_quietly(int fd, const void *data, size_t len)
{
    sigset_t pipe_only, before, pending;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    int was_pending = sigismember(&pending, SIGPIPE);
    if (pthread_sigmask(SIG_BLOCK, &pipe_only, &before) != 0)
        return -1;
    ssize_t n = write(fd, data, len);
    int e = errno;
    if (n < 0 && e == EPIPE && !was_pending) {
        struct timespec zero = {0, 0};
        while (sigtimedwait(&pipe_only, NULL, &zero) < 0 && errno == EINTR)
            continue;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = e;
    return n;
}

int sr_child_write(struct sr_child *c, const void *data, size_t len, int wake_fd, int timeout_ms,
                   struct sr_error *err)
{
    const char *p = data;
    int flags = c->in >= 0 ? fcntl(c->in, F_GETFL) : -1;
    if (flags < 0)
        return sr_fail(err, SR_E_CHILD, "cannot write to a child process: its input is closed");
    if (!(flags & O_NONBLOCK) && fcntl(c->in, F_SETFL, flags | O_NONBLOCK) != 0)
        return sr_fail_errno(err, errno, "cannot write to a child process");
    while (len > 0) {
        struct pollfd fds[2] = {{.fd = c->in, .events = POLLOUT},
                                {.fd = wake_fd, .events = POLLIN}};
        int n = poll(fds, 2, timeout_ms);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return sr_fail_errno(err, errno, "waiting for a child process to read");
        if (n == 0)
            return sr_fail(err, SR_E_TIMEOUT, "a child process took no input for %d seconds",
                           timeout_ms / 1000);
        if (fds[1].revents)
            return sr_fail(err, SR_E_CANCELLED, "cancelled");
        ssize_t w = write_quietly(c->in, p, len);
        if (w < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (w < 0 && errno == EPIPE)
            return sr_fail(err, SR_E_CHILD, "a child process ended before it read all its input");
        if (w < 0)
            return sr_fail_errno(err, errno, "cannot write to a child process");
        p += w;
        len -= (size_t)w;
    }
    return SR_OK;
}

void sr_child_status_text(int status, char *out, size_t cap)
{
    if (WIFEXITED(status))
        (void)snprintf(out, cap, "exit status %d", WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        (void)snprintf(out, cap, "killed by signal %d (%s)", WTERMSIG(status),
                       strsignal(WTERMSIG(status)));
    else
        (void)snprintf(out, cap, "wait status %d", status);
}

/* Takes what one stream has; 1: end of it, 0: more may come, else -code. */
static int drain(int *fd, short revents, struct sr_buf *out, struct sr_excerpt *excerpt)
{
    char chunk[16384];
    if (!revents)
        return 0;
    ssize_t n = read(*fd, chunk, sizeof chunk);
    if (n < 0)
        return errno == EINTR ? 0 : -SR_E_IO;
    if (n == 0) {
        close_end(fd);
        return 1;
    }
    if (excerpt)
        sr_excerpt_add(excerpt, chunk, (size_t)n);
    int rc = out ? sr_buf_add(out, chunk, (size_t)n) : SR_OK;
    return -rc;
}

static int run_drain(struct sr_child *c, const char *name, int64_t end, struct sr_buf *out,
                     struct sr_excerpt *said, struct sr_error *err)
{
    while (c->out >= 0 || c->err >= 0) {
        struct pollfd fds[2] = {{.fd = c->out, .events = POLLIN}, {.fd = c->err, .events = POLLIN}};
        int n = poll(fds, 2, ms_left(end));
        if (n < 0 && errno != EINTR)
            return sr_fail_errno(err, errno, "waiting for %s", name);
        if (n == 0)
            return sr_fail(err, SR_E_TIMEOUT, "%s did not end in time", name);
        if (n < 0)
            continue;
        int rc = drain(&c->out, fds[0].revents, out, NULL);
        if (rc >= 0)
            rc = drain(&c->err, fds[1].revents, NULL, said);
        if (rc == -SR_E_NO_SPACE)
            return sr_fail(err, SR_E_NO_SPACE, "%s printed more than %zu bytes", name, out->max);
        if (rc < 0)
            return sr_fail(err, -rc, "reading what %s prints: %s", name, sr_code_name(-rc));
    }
    return SR_OK;
}

int sr_child_run(char *const *argv, const struct sr_strlist *env, int timeout_ms,
                 struct sr_buf *out, struct sr_error *err)
{
    struct sr_child_options o = {.argv = argv,
                                 .env = env,
                                 .in = SR_CHILD_NULL,
                                 .out = out ? SR_CHILD_PIPE : SR_CHILD_NULL,
                                 .err = SR_CHILD_PIPE};
    struct sr_child c = SR_CHILD_INIT;
    struct sr_excerpt said = {0};
    int64_t end = ms_end(timeout_ms);
    int status = 0, rc = sr_child_spawn(&o, &c, err);
    if (rc != SR_OK)
        return rc;
    rc = run_drain(&c, argv[0], end, out, &said, err);
    if (rc == SR_OK)
        rc = sr_child_wait(&c, ms_left(end), &status, err);
    if (rc == SR_E_AGAIN)
        rc = sr_fail(err, SR_E_TIMEOUT, "%s did not end in time", argv[0]);
    if (rc != SR_OK) {
        sr_child_kill(&c, RUN_GRACE_MS);
    } else if (status != 0) {
        char text[SR_CHILD_STATUS_TEXT];
        struct sr_buf lines;
        sr_buf_init(&lines, SR_ERROR_TEXT_MAX);
        sr_child_status_text(status, text, sizeof text);
        (void)sr_excerpt_last_lines(&said, 3, &lines);
        rc = sr_fail(err, SR_E_CHILD, "%s failed (%s)%s%s", argv[0], text,
                     lines.len > 0 ? ": " : "", sr_buf_str(&lines));
        sr_buf_done(&lines);
    }
    sr_child_done(&c);
    return rc;
}
