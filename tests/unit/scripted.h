/* tests/server/scripted.py as a child of a unit test.
 *
 *     struct scripted s;
 *     scripted_start(&s, "--tls", cert, key, NULL);
 *     scripted_rules(&s, "[{'match': 'PUT', 'times': 1, 'reply': {'status': 503}}]");
 *     ... talk to 127.0.0.1, s.port ...
 *     json_t *got = scripted_requests(&s);      {"requests": [...], "connections": N, "open": N}
 *     scripted_stop(&s);
 *
 * In the text of rules ' stands for ". The server dies with the test. */
#ifndef SR_TESTS_SCRIPTED_H
#define SR_TESTS_SCRIPTED_H

#include "tests/unit/unit.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct scripted {
    pid_t pid;
    FILE *in, *out;
    uint16_t port;
    char dir[32];
};

static inline const char *scripted_source(const char *name)
{
    static char path[4096];
    const char *top = getenv("SR_SRCDIR");
    (void)snprintf(path, sizeof path, "%s/tests/server/%s", top ? top : ".", name);
    return path;
}

/* The options end with NULL. The test ends here when there is no server. */
static inline void scripted_start(struct scripted *s, ...)
{
    char port_file[64];
    char *argv[16] = {(char *)(uintptr_t) "/usr/bin/python3",
                      strdup(scripted_source("scripted.py")), (char *)(uintptr_t) "--stdin",
                      (char *)(uintptr_t) "--port-file", port_file};
    int to[2], from[2], n = 5;
    va_list ap;
    *s = (struct scripted){.dir = "/tmp/sr-server.XXXXXX"};
    if (!mkdtemp(s->dir) || pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
        abort();
    (void)snprintf(port_file, sizeof port_file, "%s/port", s->dir);
    va_start(ap, s);
    while (n < 15 && (argv[n] = va_arg(ap, char *)) != NULL)
        n++;
    va_end(ap);
    s->pid = fork();
    if (s->pid == 0) {
        (void)dup2(to[0], 0);
        (void)dup2(from[1], 1);
        (void)execv(argv[0], argv);
        _exit(127);
    }
    free(argv[1]);
    (void)close(to[0]);
    (void)close(from[1]);
    s->in = fdopen(to[1], "w");
    s->out = fdopen(from[0], "r");
    for (int i = 0; i < 1000 && access(port_file, R_OK) != 0; i++)
        (void)usleep(10000);
    FILE *f = fopen(port_file, "r");
    unsigned port = 0;
    if (!f || fscanf(f, "%u", &port) != 1) {
        (void)fprintf(stderr, "the scripted server did not start\n");
        exit(1);
    }
    (void)fclose(f);
    (void)unlink(port_file);
    (void)rmdir(s->dir);
    s->port = (uint16_t)port;
}

/* One line there, one back; the caller owns the answer. */
static inline json_t *scripted_tell(struct scripted *s, const char *line)
{
    char *back = NULL;
    size_t cap = 0;
    json_error_t e;
    (void)fprintf(s->in, "%s\n", line);
    (void)fflush(s->in);
    json_t *answer = getline(&back, &cap, s->out) > 0 ? json_loads(back, JSON_ALLOW_NUL, &e) : NULL;
    if (!answer || json_object_get(answer, "error"))
        (void)fprintf(stderr, "server: %.300s -> %.300s\n", line, back ? back : "nothing");
    CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
    CU_ASSERT_PTR_NULL_FATAL(json_object_get(answer, "error"));
    free(back);
    return answer;
}

static inline void scripted_rules(struct scripted *s, const char *rules)
{
    size_t n = strlen(rules);
    char *line = malloc(n + 32);
    (void)sprintf(line, "{\"rules\": %s}", rules);
    for (char *c = line; *c; c++)
        if (*c == '\'')
            *c = '"';
    json_decref(scripted_tell(s, line));
    free(line);
}

static inline json_t *scripted_requests(struct scripted *s)
{
    return scripted_tell(s, "{\"requests\": true}");
}

/* How many requests, or connections, came since the rules were last set. */
static inline int scripted_count(struct scripted *s, const char *what)
{
    json_t *all = scripted_requests(s), *v = json_object_get(all, what);
    int n = json_is_array(v) ? (int)json_array_size(v) : (int)json_integer_value(v);
    json_decref(all);
    return n;
}

/* The value of a header of the n-th request (from 0), or NULL; valid while all lives. */
static inline const char *scripted_header(json_t *all, size_t n, const char *name)
{
    json_t *r = json_array_get(json_object_get(all, "requests"), n), *pair;
    size_t i;
    json_array_foreach(json_object_get(r, "headers"), i,
                       pair) if (strcasecmp(json_string_value(json_array_get(pair, 0)), name) ==
                                 0) return json_string_value(json_array_get(pair, 1));
    return NULL;
}

static inline const char *scripted_field(json_t *all, size_t n, const char *name)
{
    json_t *r = json_array_get(json_object_get(all, "requests"), n);
    return json_string_value(json_object_get(r, name));
}

static inline void scripted_stop(struct scripted *s)
{
    (void)fclose(s->in);
    (void)fclose(s->out);
    (void)kill(s->pid, SIGTERM);
    (void)waitpid(s->pid, NULL, 0);
}

#endif
