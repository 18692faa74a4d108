#include "config.h"
#include "core/util/subprocess.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"
#include "core/util/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define FIRST_FD 3 /* our pipe ends stay clear of the standard streams, should those be closed */

/* A pipe whose ends are O_CLOEXEC and above the standard streams. */
static int pipe_above(int ends[2], size_t size)
{
    int raw[2];
    if (pipe2(raw, O_CLOEXEC) != 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        if (raw[i] >= FIRST_FD)
            continue;
        int moved = fcntl(raw[i], F_DUPFD_CLOEXEC, FIRST_FD);
        if (moved < 0) {
            int e = errno;
            (void)close(raw[0]);
            (void)close(raw[1]);
            errno = e;
            return -1;
        }
        (void)close(raw[i]);
        raw[i] = moved;
    }
    /* A wish: an unprivileged user may be past the system's limit for pipe pages. */
    if (size > 0)
        (void)fcntl(raw[0], F_SETPIPE_SZ, (int)size);
    ends[0] = raw[0];
    ends[1] = raw[1];
    return 0;
}

/* The environment of the child: ours with the changes of env; entries are borrowed, the array is
 * malloc'd. */
static char **environment(const struct sr_strlist *env)
{
    size_t n = 0, kept = 0, changes = env ? env->len : 0;
    while (environ && environ[n])
        n++;
    char **out = calloc(n + changes + 1, sizeof *out);
    if (!out)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t name = strcspn(environ[i], "=");
        int replaced = 0;
        for (size_t j = 0; j < changes && !replaced; j++)
            replaced =
                strcspn(env->items[j], "=") == name && memcmp(env->items[j], environ[i], name) == 0;
        if (!replaced)
            out[kept++] = environ[i];
    }
    for (size_t j = 0; j < changes; j++) {
        size_t name = strcspn(env->items[j], "=");
        int later = 0;
        for (size_t k = j + 1; k < changes && !later; k++)
            later = strcspn(env->items[k], "=") == name &&
                    memcmp(env->items[k], env->items[j], name) == 0;
        if (!later && env->items[j][name] == '=')
            out[kept++] = env->items[j];
    }
    return out;
}

struct spawn {
    int in[2], out[2], err[2], status[2];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int has_actions, has_attr;
    char *helper, *program;
    struct sr_strlist args;
    char **envp;
};

static void close_pair(int ends[2])
{
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            (void)close(ends[i]);
}

static void spawn_done(struct spawn *s)
{
    close_pair(s->in);
    close_pair(s->out);
    close_pair(s->err);
    close_pair(s->status);
    if (s->has_actions)
        posix_spawn_file_actions_destroy(&s->actions);
    if (s->has_attr)
        posix_spawnattr_destroy(&s->attr);
    free(s->helper);
    free(s->program);
    free(s->envp);
    sr_strlist_done(&s->args);
}

/* One standard stream: the child's end of the pipe, /dev/null, or as it is. */
static int stream_action(struct spawn *s, enum sr_child_stream kind, int child_end, int fd)
{
    switch (kind) {
    case SR_CHILD_PIPE:
        return posix_spawn_file_actions_adddup2(&s->actions, child_end, fd);
    case SR_CHILD_NULL:
        return posix_spawn_file_actions_addopen(&s->actions, fd, "/dev/null",
                                                fd == 0 ? O_RDONLY : O_WRONLY, 0);
    case SR_CHILD_TO_OUT:
        return posix_spawn_file_actions_adddup2(&s->actions, STDOUT_FILENO, fd);
    case SR_CHILD_INHERIT:
        break;
    }
    return 0;
}

/* What happens between fork and exec; an errno value. */
static int prepare_actions(struct spawn *s, const struct sr_child_options *o)
{
    int rc = posix_spawn_file_actions_init(&s->actions);
    if (rc != 0)
        return rc;
    s->has_actions = 1;
    if ((rc = stream_action(s, o->in, s->in[0], STDIN_FILENO)) != 0 ||
        (rc = stream_action(s, o->out, s->out[1], STDOUT_FILENO)) != 0 ||
        (rc = stream_action(s, o->err, s->err[1], STDERR_FILENO)) != 0)
        return rc;
    /* dup2 onto itself takes the close-on-exec flag off in the child alone. */
    rc = posix_spawn_file_actions_adddup2(&s->actions, s->status[1], s->status[1]);
    for (const int *fd = o->keep_fds; fd && *fd >= 0 && rc == 0; fd++)
        rc = *fd < FIRST_FD ? EINVAL : posix_spawn_file_actions_adddup2(&s->actions, *fd, *fd);
    return rc;
}

static int prepare_attr(struct spawn *s)
{
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    int rc = posix_spawnattr_init(&s->attr);
    if (rc != 0)
        return rc;
    s->has_attr = 1;
    if ((rc = posix_spawnattr_setpgroup(&s->attr, 0)) != 0 ||
        (rc = posix_spawnattr_setsigdefault(&s->attr, &all)) != 0 ||
        (rc = posix_spawnattr_setsigmask(&s->attr, &none)) != 0)
        return rc;
    return posix_spawnattr_setflags(&s->attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
                                                  POSIX_SPAWN_SETSIGMASK);
}

/* strongroom-child's own arguments, then the program's. One that watches must outlive us by a
 * moment: its name is none that somebody who looks for strongroom would find and kill. */
static int prepare_args(struct spawn *s, const struct sr_child_options *o)
{
    struct sr_buf keep;
    sr_buf_init(&keep, 4096);
    int rc = SR_OK;
    for (const int *fd = o->keep_fds; fd && *fd >= 0 && rc == SR_OK; fd++)
        rc = sr_buf_printf(&keep, "%s%d", keep.len > 0 ? "," : "", *fd);
    if (rc == SR_OK)
        rc = sr_strlist_add(&s->args, o->watch ? "sr-watch" : s->helper);
    if (rc == SR_OK)
        rc = sr_strlist_add(&s->args, o->watch ? "watch" : "exec");
    if (rc == SR_OK)
        rc = sr_strlist_addf(&s->args, "%ld", (long)getpid());
    if (rc == SR_OK)
        rc = sr_strlist_addf(&s->args, "%d", s->status[1]);
    if (rc == SR_OK)
        rc = sr_strlist_add(&s->args, keep.len > 0 ? keep.data : "-");
    if (rc == SR_OK)
        rc = sr_strlist_add(&s->args, s->program);
    for (char *const *a = o->argv; *a && rc == SR_OK; a++)
        rc = sr_strlist_add(&s->args, *a);
    sr_buf_done(&keep);
    return rc;
}

/* What strongroom-child has to say: nothing once the program runs, else an errno value. */
static int started(int fd)
{
    int failed = 0;
    ssize_t n = sr_read_full(fd, &failed, sizeof failed);
    return n == (ssize_t)sizeof failed ? failed : 0;
}

int sr_child_spawn(const struct sr_child_options *o, struct sr_child *ret, struct sr_error *err)
{
    _cleanup_(spawn_done) struct spawn s = {
        .in = {-1, -1}, .out = {-1, -1}, .err = {-1, -1}, .status = {-1, -1}};
    _cleanup_free_ char *self = NULL;
    const char *name = o->argv[0];
    int rc = sr_program_find(name, &s.program, err);
    if (rc == SR_OK)
        rc = sr_program_self(&self, err);
    if (rc == SR_OK)
        rc = sr_program_child_helper(self, &s.helper, err);
    if (rc != SR_OK)
        return rc;
    if ((o->in == SR_CHILD_PIPE && pipe_above(s.in, o->pipe_size) != 0) ||
        (o->out == SR_CHILD_PIPE && pipe_above(s.out, o->pipe_size) != 0) ||
        (o->err == SR_CHILD_PIPE && pipe_above(s.err, 0) != 0) || pipe_above(s.status, 0) != 0)
        return sr_fail_errno(err, errno, "cannot start %s: making a pipe", name);
    s.envp = environment(o->env);
    if (!s.envp || prepare_args(&s, o) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "cannot start %s: out of memory", name);
    int e = prepare_actions(&s, o);
    if (e == 0)
        e = prepare_attr(&s);
    pid_t pid = 0;
    if (e == 0)
        e = posix_spawn(&pid, s.helper, &s.actions, &s.attr, s.args.items, s.envp);
    if (e != 0)
        return sr_fail_errno(err, e, "cannot start %s", name);
    (void)close(sr_steal_fd(&s.status[1]));
    e = started(s.status[0]);
    if (e != 0) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        return sr_fail_errno(err, e, "cannot start %s", s.program);
    }
    ret->pid = pid;
    ret->in = sr_steal_fd(&s.in[1]);
    ret->out = sr_steal_fd(&s.out[0]);
    ret->err = sr_steal_fd(&s.err[0]);
    return SR_OK;
}
