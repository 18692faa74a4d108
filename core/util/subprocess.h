/* Child processes: no shell, own process group, dead when we are.
 *
 *     struct sr_child_options o = {.argv = ..., .env = ..., .stdin_fd = -1, ...};
 *     sr_child_spawn(&o, &child, &err);
 *     read child.out ..., sr_child_wait(&child, timeout_ms, &status, &err)
 *     sr_child_kill(&child); sr_child_done(&child)
 *
 * posix_spawn of strongroom-child (pkglibexecdir, or beside the running program in a build tree),
 * which sets the parent-death signal, checks that its parent still is the one it was told, and
 * execs argv. The signal follows the *thread* that spawned: spawn from one that lives as long as
 * the child must. All descriptors but 0, 1, 2 and keep_fds are closed in the child; signal mask and
 * handlers are default.
 */
#ifndef SR_UTIL_SUBPROCESS_H
#define SR_UTIL_SUBPROCESS_H

#include "core/util/error.h"
#include "core/util/strlist.h"

#include <sys/types.h>

enum sr_child_stream {
    SR_CHILD_NULL, /* /dev/null */
    SR_CHILD_PIPE, /* a pipe; our end is in, out or err */
    SR_CHILD_INHERIT,
    SR_CHILD_TO_OUT, /* err only: the same as out */
};

struct sr_child_options {
    char *const *argv;            /* argv[0] is a path, or looked up in PATH */
    const struct sr_strlist *env; /* NAME=VALUE: set, NAME: unset; on top of ours; may be NULL */
    enum sr_child_stream in, out, err;
    const int *keep_fds; /* stay open under the same numbers; ended by -1; or NULL */
    size_t pipe_size;    /* wished capacity of out and in, bytes; 0: as it is */
};

struct sr_child {
    pid_t pid;        /* also its process group; 0: none */
    int in, out, err; /* our ends, O_CLOEXEC; -1 */
};

int sr_child_spawn(const struct sr_child_options *o, struct sr_child *ret, struct sr_error *err);
/* Waits; SR_OK with the status of waitpid, SR_E_AGAIN after timeout_ms (< 0: for ever). */
int sr_child_wait(struct sr_child *c, int timeout_ms, int *ret_status, struct sr_error *err);
/* TERM to the group, KILL after grace_ms; reaps. Fine when it is gone. */
void sr_child_kill(struct sr_child *c, int grace_ms);
void sr_child_done(struct sr_child *c); /* closes our ends; kills what still runs */
/* "exit status 1", "killed by signal 9 (Killed)". */
void sr_child_status_text(int status, char *out, size_t cap);
/* Runs argv to its end; standard output into out (bounded), standard error's end into the message.
 */
struct sr_buf;
int sr_child_run(char *const *argv, const struct sr_strlist *env, int timeout_ms,
                 struct sr_buf *out, struct sr_error *err);

#endif
