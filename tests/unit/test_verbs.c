/* The verbs' tables: what the parser, help, man page and completion take for granted. */
#include "config.h"
#include "core/cli/ask.h"
#include "core/cli/help.h"
#include "core/cli/options.h"
#include "core/cli/verbs.h"
#include "core/config/config.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static const struct sr_option *find(const struct sr_option *t, const char *name, size_t len)
{
    for (; t && t->name; t++)
        if (strlen(t->name) == len && memcmp(t->name, name, len) == 0)
            return t;
    return NULL;
}

static void option_check(const struct sr_verb *v, const struct sr_option *o)
{
    CU_ASSERT_PTR_NOT_NULL(o->help);
    CU_ASSERT(strlen(o->name) > 1 && o->name[strcspn(o->name, " =_")] == '\0');
    CU_ASSERT_EQUAL(o->kind == SR_OPTION_FLAG, o->arg == NULL);
    CU_ASSERT_EQUAL(o->type == SR_VALUE_CHOICE, o->choices != NULL);
    if (o->letter)
        CU_ASSERT_EQUAL(o->kind, SR_OPTION_FLAG);
    if (o->stands)
        CU_ASSERT_PTR_NOT_NULL(o->setting);
    /* What it excludes or needs is there. */
    const char *lists[] = {o->not_with, o->needs};
    for (size_t i = 0; i < 2; i++)
        for (const char *p = lists[i]; p && *p;) {
            size_t len = strcspn(p, ",");
            CU_ASSERT(find(v ? v->options : NULL, p, len) || find(sr_common_options, p, len));
            p += len + (p[len] == ',');
        }
}

static void tables(void)
{
    for (const struct sr_option *o = sr_common_options; o->name; o++)
        option_check(NULL, o);
    for (const struct sr_verb *const *v = sr_verbs; *v; v++) {
        CU_ASSERT_PTR_NOT_NULL((*v)->summary);
        CU_ASSERT_PTR_NOT_NULL((*v)->about);
        CU_ASSERT_PTR_NOT_NULL((*v)->synopsis);
        CU_ASSERT_PTR_NOT_NULL((*v)->run);
        CU_ASSERT_EQUAL((*v)->operand == NULL, (*v)->operands_max == 0);
        for (const struct sr_option *o = (*v)->options; o && o->name; o++) {
            option_check(*v, o);
            /* No name twice, neither in the verb nor over a common option. */
            CU_ASSERT_PTR_NULL(find(sr_common_options, o->name, strlen(o->name)));
            CU_ASSERT_PTR_EQUAL(find((*v)->options, o->name, strlen(o->name)), o);
            /* Help shows it in the synopsis, but for what only tests use. */
            char dashed[64];
            (void)snprintf(dashed, sizeof dashed, "--%s", o->name);
            CU_ASSERT(o->hidden || strstr((*v)->synopsis, dashed) != NULL);
        }
    }
}

/* An option before the verb is read by whatever table has it, so a name takes a value everywhere or
 * nowhere. */
static void values_agree(void)
{
    for (const struct sr_verb *const *v = sr_verbs; *v; v++)
        for (const struct sr_option *o = (*v)->options; o && o->name; o++)
            for (const struct sr_verb *const *w = sr_verbs; *w; w++) {
                const struct sr_option *other = find((*w)->options, o->name, strlen(o->name));
                if (other && (other->kind == SR_OPTION_FLAG) != (o->kind == SR_OPTION_FLAG)) {
                    (void)fprintf(stderr, "--%s: %s and %s differ\n", o->name, (*v)->name,
                                  (*w)->name);
                    CU_FAIL("kinds differ");
                }
            }
}

static void settings_exist(void)
{
    for (const struct sr_verb *const *v = sr_verbs; *v; v++)
        for (const struct sr_option *o = (*v)->options; o && o->name; o++) {
            int known = !o->setting;
            for (const struct sr_setting *s = sr_settings; s->name && !known; s++)
                known = strcmp(s->name, o->setting) == 0;
            CU_ASSERT(known);
        }
}

static void verbs_of_this_stage(void)
{
    static const char *const want[] = {"backup",       "list",  "show",    "verify",  "restore",
                                       "restore-test", "fetch", "adopt",   "prune",   "hold",
                                       "release",      "sync",  "sweep",   "plugins", "config",
                                       "doctor",       "help",  "version", NULL};
    size_t i = 0;
    for (; sr_verbs[i] && want[i]; i++)
        CU_ASSERT_STRING_EQUAL(sr_verbs[i]->name, want[i]);
    CU_ASSERT_PTR_NULL(sr_verbs[i]);
    CU_ASSERT_PTR_NULL(want[i]);
}

static void help_of_each(void)
{
    for (const struct sr_verb *const *v = sr_verbs; *v; v++) {
        struct sr_buf b;
        sr_buf_init(&b, 1 << 20);
        CU_ASSERT_EQUAL(sr_help_verb(*v, sr_common_options, &b), SR_OK);
        /* Lines fit a terminal, but for examples and choices. */
        for (const char *line = sr_buf_str(&b); *line;) {
            size_t len = strcspn(line, "\n");
            CU_ASSERT(len <= 92);
            line += len + (line[len] == '\n');
        }
        sr_buf_done(&b);
    }
}

static void answers(void)
{
    static const char *const yes[] = {"y", "Y", "yes", "YES", " yes \t", "y\r"};
    static const char *const no[] = {"",           "n",  "no",        "yess", "y y",
                                     "yes please", "ja", "yesyesyes", "\n"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        CU_ASSERT(sr_ask_is_yes(yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        CU_ASSERT_FALSE(sr_ask_is_yes(no[i]));
}

static const struct unit_test tests[] = {
    {"tables", tables},
    {"values agree", values_agree},
    {"settings exist", settings_exist},
    {"verbs of this stage", verbs_of_this_stage},
    {"help of each", help_of_each},
    {"answers", answers},
    {NULL, NULL},
};

int main(void)
{
    return unit_main("verbs", tests);
}
