/* What a plugin says of itself, and what its presence does to the process. */
#include "config.h"
#include "core/check/check.h"

#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int handlers_are_default(void)
{
    for (int sig = 1; sig < SIGRTMIN; sig++) {
        struct sigaction a;
        if (sigaction(sig, NULL, &a) == 0 && a.sa_handler != SIG_DFL && a.sa_handler != SIG_IGN) {
            check_note("signal %d has a handler", sig);
            return 0;
        }
    }
    return 1;
}

static void check_process(struct check *c)
{
    mode_t mask = umask(077);
    (void)umask(mask);
    sigset_t set;
    int blocked = 0;
    (void)sigprocmask(SIG_SETMASK, NULL, &set);
    for (int sig = 1; sig < SIGRTMIN; sig++)
        blocked += sigismember(&set, sig) == 1;
    check_that(c, handlers_are_default() && blocked == 0,
               "load and open change no signal handler and no mask");
    check_that(c, strcmp(setlocale(LC_ALL, NULL), "C") == 0, "load and open change no locale");
    check_that(c, mask == 022 || mask == 077 || mask == 027 || mask == 02,
               "load and open leave the umask a sensible one");
}

static void check_settings(struct check *c)
{
    int helped = 1, fit = 1;
    for (const struct sr_storage_setting *r = c->t->settings; r && r->key; r++) {
        char *value = NULL;
        struct sr_error err = SR_ERROR_INIT;
        if (!r->help || !*r->help) {
            check_note("setting %s has no help", r->key);
            helped = 0;
        }
        if (sr_setting_get(&c->view, r->key, &value, NULL, &err) != SR_OK) {
            check_note("%s", err.text);
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
    sr_host_enter(c->a.host);
    int32_t first = c->t->place(c->a.handle, one, sizeof one);
    sr_host_leave(c->a.host);
    sr_host_enter(b->host);
    int32_t second = c->t->place(b->handle, two, sizeof two);
    sr_host_leave(b->host);
    check_that(c, first == SR_STORAGE_OK && second == SR_STORAGE_OK && *one && !strcmp(one, two),
               "two handles of one place name it alike");
    char small[2] = {'x', 'x'};
    sr_host_enter(c->a.host);
    int32_t code = c->t->place(c->a.handle, small, 1);
    sr_host_leave(c->a.host);
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
