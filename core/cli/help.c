#include "config.h"
#include "core/cli/help.h"
#include "core/cli/exit.h"
#include "core/cli/output.h"
#include "core/cli/screen.h"

#include <string.h>

#define WIDTH 92

/* Keeps the first failure of a row of appends. */
#define ADD(rc, call)      \
    do {                   \
        if ((rc) == SR_OK) \
            (rc) = (call); \
    } while (0)

static size_t left_width(const struct sr_option *o)
{
    return (o->letter ? 4u : 0u) + 2 + strlen(o->name) + (o->arg ? 1 + strlen(o->arg) : 0);
}

static int options_add(const struct sr_option *t, size_t column, struct sr_buf *b)
{
    int rc = SR_OK;
    for (; t && t->name; t++) {
        if (t->hidden)
            continue;
        struct sr_buf left;
        sr_buf_init(&left, 256);
        if (t->letter)
            ADD(rc, sr_buf_printf(&left, "-%c, ", t->letter));
        ADD(rc, sr_buf_printf(&left, "--%s%s%s", t->name, t->arg ? " " : "", t->arg ? t->arg : ""));
        ADD(rc, sr_buf_printf(b, "  %-*s  ", (int)column, sr_buf_str(&left)));
        sr_buf_done(&left);

        struct sr_buf text;
        sr_buf_init(&text, 8192);
        ADD(rc, sr_screen_wrap(&text, t->help, column + 4, WIDTH));
        /* The first line's indent is what stands there already. */
        ADD(rc, sr_buf_adds(b, sr_buf_str(&text) + (rc == SR_OK ? column + 4 : 0)));
        if (t->choices) {
            sr_buf_reset(&text);
            ADD(rc, sr_buf_printf(b, "  %-*s  one of: ", (int)column, ""));
            for (const char *c = t->choices; *c && rc == SR_OK; c++)
                ADD(rc, *c == '|' ? sr_buf_adds(b, "  ") : sr_buf_addc(b, *c));
            ADD(rc, sr_buf_addc(b, '\n'));
        }
        sr_buf_done(&text);
    }
    return rc;
}

static size_t column_for(const struct sr_option *a, const struct sr_option *b)
{
    size_t widest = 0;
    for (const struct sr_option *t = a; t && t->name; t++)
        if (!t->hidden && left_width(t) > widest)
            widest = left_width(t);
    for (const struct sr_option *t = b; t && t->name; t++)
        if (!t->hidden && left_width(t) > widest)
            widest = left_width(t);
    return widest;
}

int sr_help_general(const struct sr_verb *const *verbs, const struct sr_option *common,
                    struct sr_buf *b)
{
    int rc = sr_buf_adds(b, "strongroom: encrypted, hashed and proven backups of PostgreSQL\n\n"
                            "Usage: strongroom VERB [OPTION...] [OPERAND...]\n\nVerbs:\n");
    size_t widest = 0;
    for (const struct sr_verb *const *v = verbs; *v; v++)
        if (strlen((*v)->name) > widest)
            widest = strlen((*v)->name);
    for (const struct sr_verb *const *v = verbs; *v; v++)
        ADD(rc, sr_buf_printf(b, "  %-*s  %s\n", (int)widest, (*v)->name, (*v)->summary));
    ADD(rc, sr_buf_adds(b, "\nOptions of every verb:\n"));
    ADD(rc, options_add(common, column_for(common, NULL), b));
    ADD(rc,
        sr_buf_adds(b, "\n`strongroom help VERB` tells about one verb, `strongroom config` shows "
                       "every setting.\n"));
    return rc;
}

int sr_help_verb(const struct sr_verb *v, const struct sr_option *common, struct sr_buf *b)
{
    size_t column = column_for(v->options, common);
    int rc = sr_buf_printf(b, "strongroom %s: %s\n\n", v->name, v->summary);
    ADD(rc, sr_buf_printf(b, "Usage: strongroom %s", v->name));
    /* A synopsis of several lines goes on under its first word. */
    if (*v->synopsis)
        ADD(rc, sr_buf_addc(b, ' '));
    for (const char *s = v->synopsis; *s && rc == SR_OK; s++) {
        ADD(rc, sr_buf_addc(b, *s));
        if (*s == '\n')
            ADD(rc, sr_buf_printf(b, "%*s",
                                  (int)(strlen("Usage: strongroom ") + strlen(v->name) + 1), ""));
    }
    ADD(rc, sr_buf_adds(b, "\n\n"));
    ADD(rc, sr_screen_wrap(b, v->about, 0, WIDTH));
    if (v->options && v->options->name) {
        ADD(rc, sr_buf_adds(b, "\nOptions:\n"));
        ADD(rc, options_add(v->options, column, b));
    }
    ADD(rc, sr_buf_adds(b, "\nOptions of every verb:\n"));
    ADD(rc, options_add(common, column, b));
    if (v->examples) {
        ADD(rc, sr_buf_adds(b, "\nExamples:\n"));
        for (const char *e = v->examples; *e && rc == SR_OK;) {
            size_t len = strcspn(e, "\n");
            ADD(rc, sr_buf_printf(b, "  %.*s\n", (int)len, e));
            e += len + (e[len] == '\n');
        }
    }
    ADD(rc, sr_buf_adds(b, "\nExit codes:\n"));
    for (const struct sr_exit_text *t = sr_exit_texts; t->text; t++)
        ADD(rc, sr_buf_printf(b, "  %3d  %s\n", t->code, t->text));
    return rc;
}

static int dump_table(const char *verb, const struct sr_option *t, struct sr_buf *b)
{
    int rc = SR_OK;
    for (; t && t->name; t++)
        if (!t->hidden)
            ADD(rc, sr_buf_printf(b, "%s\t--%s\t%s\n", verb, t->name, t->arg ? t->arg : ""));
    return rc;
}

int sr_help_dump(const struct sr_verb *const *verbs, const struct sr_option *common,
                 struct sr_buf *b)
{
    int rc = dump_table("*", common, b);
    for (; *verbs; verbs++) {
        ADD(rc, sr_buf_printf(b, "%s\t\t%s\n", (*verbs)->name,
                              (*verbs)->operand ? (*verbs)->operand : ""));
        ADD(rc, dump_table((*verbs)->name, (*verbs)->options, b));
    }
    return rc;
}

static json_t *options_json(const struct sr_option *t)
{
    json_t *a = json_array();
    for (; a && t && t->name; t++) {
        if (t->hidden)
            continue;
        json_t *o = json_pack("{s:s, s:s?, s:s, s:b}", "name", t->name, "argument", t->arg, "help",
                              t->help, "repeatable", t->kind == SR_OPTION_LIST);
        sr_json_append(&a, o);
    }
    return a;
}

json_t *sr_help_json(const struct sr_verb *const *verbs, const struct sr_option *common)
{
    json_t *list = json_array();
    for (; list && *verbs; verbs++) {
        const struct sr_verb *v = *verbs;
        json_t *o = json_pack("{s:s, s:s, s:s, s:o}", "name", v->name, "summary", v->summary,
                              "synopsis", v->synopsis, "options", options_json(v->options));
        sr_json_append(&list, o);
    }
    return json_pack("{s:o, s:o}", "verbs", list, "options", options_json(common));
}
