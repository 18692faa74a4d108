#include "common/aws_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIME_LIMIT_MS 60000
#define GRACE_MS 2000 /* between the end of its output and its own end */
#define TICK_MS 100
#define WORDS_MAX 256
#define COMPLAINT_MAX 512 /* bytes of its standard error that are told */

/* --- words --- */

void sc_aws_words_free(char **words)
{
    for (char **w = words; w && *w; w++) {
        sc_wipe(*w, strlen(*w));
        free(*w);
    }
    free(words);
}

/* Takes one word off *p into out; 0 when there is none, -1 for an open quote. */
static int take_word(const char **p, struct sc_buf *out)
{
    const char *s = *p;
    s += strspn(s, " \t\r\n");
    int found = *s != '\0';
    char quote = 0;
    for (; *s && (quote || !strchr(" \t\r\n", *s)); s++) {
        if (quote ? *s == quote : *s == '\'' || *s == '"') {
            quote = quote ? 0 : *s;
        } else if (*s == '\\' && quote != '\'') {
            /* In "..." a backslash is one unless a quote or another follows. */
            if (!s[1])
                return -1;
            if (quote && s[1] != '"' && s[1] != '\\')
                (void)sc_buf_addc(out, *s);
            (void)sc_buf_addc(out, *++s);
        } else {
            (void)sc_buf_addc(out, *s);
        }
    }
    *p = s;
    return quote ? -1 : found;
}

static void words_cleanup(char ***words)
{
    sc_aws_words_free(*words);
}

int32_t sc_aws_words_split(const char *command, char ***ret, struct sc_error *err)
{
    _cleanup_(words_cleanup) char **words = calloc(WORDS_MAX + 1, sizeof *words);
    if (!words)
        return sc_fail_memory(err);
    size_t n = 0;
    for (;;) {
        _cleanup_(sc_buf_done) struct sc_buf word = SC_BUF_SECRET_INIT(SC_SECRET_MAX);
        int more = take_word(&command, &word);
        if (more < 0)
            return sc_fail(err, SR_STORAGE_E_CONFIG,
                           "credential_process ends inside quotes or with a backslash");
        if (!more)
            break;
        if (n == WORDS_MAX)
            return sc_fail(err, SR_STORAGE_E_CONFIG, "credential_process has more than %d words",
                           WORDS_MAX);
        int32_t rc = sc_buf_check(&word, err, "a word of credential_process");
        if (rc != SR_STORAGE_OK)
            return rc;
        if (!(words[n++] = sc_buf_steal(&word)))
            return sc_fail_memory(err);
    }
    if (n == 0)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "credential_process is empty");
    *ret = sc_steal_ptr(words);
    return SR_STORAGE_OK;
}

/* --- which program --- */

/* A name without a slash is looked up in absolute folders alone: what runs must not depend on the
 * working folder. */
static int32_t find_program(const struct sr_storage_host *host, const char *name, char **ret,
                            struct sc_error *err)
{
    if (strchr(name, '/')) {
        if (*name != '/')
            return sc_fail(err, SR_STORAGE_E_CONFIG,
                           "credential_process must name its program by an absolute path, or by a "
                           "name that is in PATH: %s",
                           name);
        return (*ret = strdup(name)) ? SR_STORAGE_OK : sc_fail_memory(err);
    }
    _cleanup_free_ char *folders = NULL;
    int32_t rc = sc_aws_setting(host, "search_path", &folders, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    char *rest = folders;
    for (char *f = rest ? strsep(&rest, ":") : NULL; f; f = strsep(&rest, ":")) {
        _cleanup_free_ char *path = NULL;
        if (*f != '/')
            continue;
        if (asprintf(&path, "%s/%s", f, name) < 0) {
            path = NULL;
            return sc_fail_memory(err);
        }
        if (access(path, X_OK) == 0) {
            *ret = sc_steal_ptr(path);
            return SR_STORAGE_OK;
        }
    }
    return sc_fail(err, SR_STORAGE_E_CONFIG,
                   "the program %s of credential_process is in no folder of PATH; name it by its "
                   "absolute path",
                   name);
}

/* --- running it --- */

struct process {
    pid_t pid;
    int out, complaint; /* our ends; -1: at its end */
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* Whatever is left of it goes: the group first, since it may have children of its own. */
static void process_done(struct process *p)
{
    close_fd(&p->out);
    close_fd(&p->complaint);
    if (p->pid > 0) {
        (void)kill(-p->pid, SIGKILL);
        while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
            ;
        p->pid = 0;
    }
}

/* Its standard input is empty, the other two are ours; nothing else is handed on, signals are as
 * they are at the start of a program, and it is a process group of its own. */
static int spawn(const char *path, char **words, int out, int complaint, pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc != 0)
        return rc;
    rc = posix_spawnattr_init(&attr);
    if (rc == 0) {
        rc = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        if (rc == 0)
            rc = posix_spawn_file_actions_adddup2(&actions, out, 1);
        if (rc == 0)
            rc = posix_spawn_file_actions_adddup2(&actions, complaint, 2);
        if (rc == 0)
            rc = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
        if (rc == 0)
            rc = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                     POSIX_SPAWN_SETSIGDEF);
        if (rc == 0)
            rc = posix_spawnattr_setsigmask(&attr, &none);
        if (rc == 0)
            rc = posix_spawnattr_setsigdefault(&attr, &all);
        if (rc == 0)
            rc = posix_spawn(ret, path, &actions, &attr, words, environ);
        (void)posix_spawnattr_destroy(&attr);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return rc;
}

/* A pipe clear of the standard streams, which may be closed. */
static int pipe_above(int ends[2])
{
    int raw[2], ok = 1;
    if (pipe2(raw, O_CLOEXEC) != 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        ends[i] = fcntl(raw[i], F_DUPFD_CLOEXEC, 3);
        ok = ok && ends[i] >= 0;
    }
    int e = errno;
    (void)close(raw[0]);
    (void)close(raw[1]);
    errno = e;
    return ok ? 0 : -1;
}

static int32_t start(const char *path, char **words, struct process *p, struct sc_error *err)
{
    int out[2] = {-1, -1}, complaint[2] = {-1, -1};
    int e = pipe_above(out) != 0 || pipe_above(complaint) != 0 ? errno : 0;
    if (e == 0)
        e = spawn(path, words, out[1], complaint[1], &p->pid);
    close_fd(&out[1]);
    close_fd(&complaint[1]);
    p->out = out[0];
    p->complaint = complaint[0];
    if (e != 0)
        p->pid = 0;
    return e ? sc_fail_errno(err, e, "cannot run the credential_process %s", path) : SR_STORAGE_OK;
}

/* Reads what is there; closes at the end. What is too much stays in the buffer's mark. */
static void drain(int *fd, struct sc_buf *into)
{
    char piece[4096];
    ssize_t n = read(*fd, piece, sizeof piece);
    if (n > 0)
        (void)sc_buf_add(into, piece, (size_t)n);
    else if (n == 0 || (errno != EINTR && errno != EAGAIN))
        close_fd(fd);
    sc_wipe(piece, sizeof piece);
}

static int32_t check_time(const struct sr_storage_host *host, uint64_t until, const char *path,
                          struct sc_error *err)
{
    if (host->is_cancelled(host))
        return sc_fail(err, SR_STORAGE_E_CANCELLED, "cancelled while waiting for %s", path);
    uint64_t limit = host->deadline(host), now = host->monotonic(host);
    if (now >= until || (limit && now >= limit))
        return sc_fail(err, SR_STORAGE_E_TIMEOUT,
                       "the credential_process %s was not done in time (%d s at most)", path,
                       TIME_LIMIT_MS / 1000);
    return SR_STORAGE_OK;
}

static int32_t collect(const struct sr_storage_host *host, const char *path, struct process *p,
                       struct sc_buf *out, struct sc_buf *complaint, int *ret_status,
                       struct sc_error *err)
{
    uint64_t until = host->monotonic(host) + (uint64_t)TIME_LIMIT_MS * 1000000;
    while (p->out >= 0 || p->complaint >= 0) {
        struct pollfd fds[3] = {
            {p->out, POLLIN, 0}, {p->complaint, POLLIN, 0}, {host->cancel_fd(host), POLLIN, 0}};
        int32_t rc = check_time(host, until, path, err);
        if (rc == SR_STORAGE_OK)
            rc = sc_buf_check(out, err, "what credential_process printed");
        if (rc != SR_STORAGE_OK)
            return rc;
        if (poll(fds, 3, TICK_MS) <= 0)
            continue;
        if (fds[0].revents)
            drain(&p->out, out);
        if (fds[1].revents)
            drain(&p->complaint, complaint);
    }
    uint64_t grace = host->monotonic(host) + (uint64_t)GRACE_MS * 1000000;
    for (;;) {
        pid_t got = waitpid(p->pid, ret_status, WNOHANG);
        if (got == p->pid) {
            p->pid = 0;
            return sc_buf_check(out, err, "what credential_process printed");
        }
        int32_t rc = check_time(host, grace < until ? grace : until, path, err);
        if (rc != SR_STORAGE_OK)
            return rc;
        (void)poll(NULL, 0, 5);
    }
}

static int32_t failed(const char *path, int status, const struct sc_buf *complaint,
                      struct sc_error *err)
{
    int32_t rc = WIFEXITED(status) ? sc_fail(err, SR_STORAGE_E_DENIED,
                                             "the credential_process %s ended with exit status %d",
                                             path, WEXITSTATUS(status))
                                   : sc_fail(err, SR_STORAGE_E_DENIED,
                                             "the credential_process %s was killed by signal %d",
                                             path, WTERMSIG(status));
    if (complaint->len > 0)
        sc_error_append(err, ": %.*s", COMPLAINT_MAX, sc_buf_str(complaint));
    return rc;
}

int32_t sc_aws_process_run(const struct sr_storage_host *host, const char *command,
                           struct sc_cred **ret, struct sc_error *err)
{
    _cleanup_(words_cleanup) char **words = NULL;
    _cleanup_free_ char *path = NULL;
    _cleanup_(process_done) struct process p = {0, -1, -1};
    _cleanup_(sc_buf_done) struct sc_buf out = SC_BUF_SECRET_INIT(SC_AWS_DOCUMENT_MAX);
    _cleanup_(sc_buf_done) struct sc_buf complaint = SC_BUF_INIT(SC_AWS_DOCUMENT_MAX);
    int status = 0;
    int32_t rc = sc_aws_words_split(command, &words, err);
    if (rc == SR_STORAGE_OK)
        rc = find_program(host, words[0], &path, err);
    if (rc == SR_STORAGE_OK)
        rc = start(path, words, &p, err);
    if (rc == SR_STORAGE_OK)
        rc = collect(host, path, &p, &out, &complaint, &status, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return failed(path, status, &complaint, err);
    char who[PATH_MAX + 64];
    (void)snprintf(who, sizeof who, "the credential_process %s", path);
    rc = sc_aws_document_parse(SC_AWS_DIALECT_PROCESS, who, sc_buf_str(&out), out.len, ret, err);
    if (rc == SR_STORAGE_OK)
        sc_aws_cred_source(*ret, "credential_process %s", path);
    return rc;
}
