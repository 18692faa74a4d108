/* What a plugin says of itself, and what its presence does to the process. */
#include "config.h"
#include "core/check/check.h"

#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIGNALS 32 /* those before the real-time ones */

struct check_process {
    void (*handlers[SIGNALS])(int);
    sigset_t mask;
    mode_t umask;
    char locale[128], cwd[PATH_MAX];
    size_t variables;
};

struct check_process *check_process_now(void)
{
    struct check_process *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    for (int sig = 1; sig < SIGNALS; sig++) {
        struct sigaction a;
        p->handlers[sig] = sigaction(sig, NULL, &a) == 0 ? a.sa_handler : SIG_DFL;
    }
    (void)sigprocmask(SIG_SETMASK, NULL, &p->mask);
    p->umask = umask(077);
    (void)umask(p->umask);
    (void)snprintf(p->locale, sizeof p->locale, "%s", setlocale(LC_ALL, NULL));
    if (!getcwd(p->cwd, sizeof p->cwd))
        p->cwd[0] = '\0';
    while (environ && environ[p->variables])
        p->variables++;
    return p;
}

static void check_process(struct check *c)
{
    struct check_process *now = check_process_now(), *was = c->before;
    if (!now || !was) {
        check_that(c, 0, "there is memory");
        free(now);
        return;
    }
    int same = 1;
    for (int sig = 1; sig < SIGNALS; sig++)
        if (now->handlers[sig] != was->handlers[sig] ||
            sigismember(&now->mask, sig) != sigismember(&was->mask, sig)) {
            check_note(c, "signal %d is handled otherwise than before", sig);
            same = 0;
        }
    check_that(c, same, "load and open change no signal handler and no mask");
    check_that(c, strcmp(now->locale, was->locale) == 0, "load and open change no locale");
    check_that(c, now->umask == was->umask, "load and open change no umask");
    check_that(c, strcmp(now->cwd, was->cwd) == 0, "load and open change no working folder");
    check_that(c, now->variables == was->variables, "load and open change no environment");
    free(now);
}

static void check_settings(struct check *c)
{
    int helped = 1, fit = 1;
    for (const struct sr_storage_setting *r = c->t->settings; r && r->key; r++) {
        char *value = NULL;
        struct sr_error err = SR_ERROR_INIT;
        if (!r->help || !*r->help) {
            check_note(c, "setting %s has no help", r->key);
            helped = 0;
        }
        if (sr_setting_get(&c->view, r->key, &value, NULL, &err) != SR_OK) {
            check_note(c, "%s", err.text);
            fit = 0;
        }
        free(value);
    }
    check_that(c, helped, "every setting has its line of help");
    check_that(c, fit, "every setting's value or default fits its type");
}

static void check_place(struct check *c)
{
    char one[4096] = "", two[4096] = "";
    if (!c->t->place) {
        check_skip(c, "two handles of one place name it alike", "the plugin has no place");
        return;
    }
    struct check_handle *b = c->b.handle ? &c->b : &c->a;
    check_enter(c, &c->a, "place");
    int32_t first = check_leave(c, &c->a, c->t->place(c->a.handle, one, sizeof one));
    check_enter(c, b, "place");
    int32_t second = check_leave(c, b, c->t->place(b->handle, two, sizeof two));
    one[sizeof one - 1] = two[sizeof two - 1] = '\0';
    check_that(c, first == SR_STORAGE_OK && second == SR_STORAGE_OK && *one && !strcmp(one, two),
               "two handles of one place name it alike");
    check_that(c, !check_is_secret(c, one), "and the name of the place holds no secret");
    char small[2] = {'x', 'x'};
    check_enter(c, &c->a, "place");
    int32_t code = check_leave(c, &c->a, c->t->place(c->a.handle, small, 1));
    check_that(c, code != SR_STORAGE_OK && small[1] == 'x',
               "place writes no more than it was given room for");
}

void check_describing(struct check *c)
{
    check_settings(c);
    check_process(c);
    check_that(c, (c->a.caps & ~c->t->capabilities) == 0,
               "the handle can do no more than the plugin declared");
    if (c->b.handle)
        check_that(c, c->a.caps == c->b.caps, "two handles can do the same");
    else
        check_skip(c, "two handles can do the same", "the plugin bears one handle only");
    check_place(c);
}
