#include "config.h"
#include "core/cli/options.h"
#include "core/util/clock.h"
#include "core/util/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 128

static const struct sr_option *table_find(const struct sr_option *t, const char *name, size_t len)
{
    for (; t && t->name; t++)
        if (strlen(t->name) == len && memcmp(t->name, name, len) == 0)
            return t;
    return NULL;
}

static const struct sr_option *option_find(const struct sr_args *a, const char *name, size_t len)
{
    const struct sr_option *o = table_find(a->common, name, len);
    return o || !a->verb ? o : table_find(a->verb->options, name, len);
}

static const struct sr_option *letter_find(const struct sr_args *a, char letter)
{
    const struct sr_option *tables[] = {a->common, a->verb ? a->verb->options : NULL};
    for (size_t i = 0; i < 2; i++)
        for (const struct sr_option *t = tables[i]; t && t->name; t++)
            if (t->letter == letter)
                return t;
    return NULL;
}

/* The option of this name in any table: tells whether a value follows it while the verb is not
 * known yet. */
static const struct sr_option *anywhere_find(const struct sr_verb *const *verbs,
                                             const struct sr_option *common, const char *name,
                                             size_t len)
{
    const struct sr_option *o = table_find(common, name, len);
    for (; !o && *verbs; verbs++)
        o = table_find((*verbs)->options, name, len);
    return o;
}

static const char *nearest_option(const struct sr_args *a, const char *name)
{
    const char *words[NAMES_MAX + 1];
    size_t n = 0;
    const struct sr_option *tables[] = {a->verb ? a->verb->options : NULL, a->common};
    for (size_t i = 0; i < 2; i++)
        for (const struct sr_option *t = tables[i]; t && t->name && n < NAMES_MAX; t++)
            if (!t->hidden)
                words[n++] = t->name;
    words[n] = NULL;
    return sr_nearest(name, words);
}

/* Appends where to read on; returns the code. */
static int usage(const struct sr_args *a, struct sr_error *err)
{
    return sr_error_append(err, "; see `strongroom help%s%s`", a->verb ? " " : "",
                           a->verb ? a->verb->name : "");
}

static int unknown_option(const struct sr_args *a, const char *typed, const char *bare,
                          struct sr_error *err)
{
    const char *near = nearest_option(a, bare);
    (void)sr_fail(err, SR_E_USAGE, "unknown option %.100s", typed);
    if (a->verb)
        (void)sr_error_append(err, " of %s", a->verb->name);
    if (near)
        (void)sr_error_append(err, "; did you mean --%s?", near);
    return usage(a, err);
}

static int has_choice(const char *choices, const char *value)
{
    size_t n = strlen(value);
    for (const char *c = choices;;) {
        size_t len = strcspn(c, "|");
        if (len == n && memcmp(c, value, n) == 0)
            return 1;
        if (c[len] == '\0')
            return 0;
        c += len + 1;
    }
}

static int value_check(const struct sr_args *a, const struct sr_option *o, const char *value,
                       struct sr_error *err)
{
    uint64_t n;
    int64_t t;
    if (*value == '\0') {
        (void)sr_fail(err, SR_E_USAGE, "option --%s got an empty value; it takes %s", o->name,
                      o->arg);
        return usage(a, err);
    }
    switch (o->type) {
    case SR_VALUE_TEXT:
        return SR_OK;
    case SR_VALUE_CHOICE:
        if (has_choice(o->choices, value))
            return SR_OK;
        (void)sr_fail(err, SR_E_USAGE, "option --%s takes one of %s, not '%.100s'", o->name,
                      o->choices, value);
        return usage(a, err);
    case SR_VALUE_NUMBER:
        if (sr_parse_u64(value, &n) == SR_OK && n >= 1 && n <= SR_NUMBER_MAX)
            return SR_OK;
        (void)sr_fail(err, SR_E_USAGE,
                      "option --%s takes a whole number from 1 to %d, not '%.100s'", o->name,
                      SR_NUMBER_MAX, value);
        return usage(a, err);
    case SR_VALUE_DURATION:
        if (sr_parse_duration(value, &n) == SR_OK)
            return SR_OK;
        (void)sr_fail(err, SR_E_USAGE,
                      "option --%s takes a time span such as 90s, 15m, 24h, 7d or 2w, not '%.100s'",
                      o->name, value);
        return usage(a, err);
    case SR_VALUE_TIME:
        if (sr_time_parse(value, &t) == SR_OK)
            return SR_OK;
        (void)sr_fail(err, SR_E_USAGE,
                      "option --%s takes a UTC date or time such as 2026-11-20 or "
                      "2026-11-20T13:05:01Z, not '%.100s'",
                      o->name, value);
        return usage(a, err);
    }
    return sr_fail(err, SR_E_INTERNAL, "option --%s has a type that is not known", o->name);
}

static int given_add(struct sr_args *a, const struct sr_option *o, const char *value,
                     struct sr_error *err)
{
    if (o->kind == SR_OPTION_VALUE)
        for (size_t i = 0; i < a->given_len; i++)
            if (a->given[i].option == o) {
                (void)sr_fail(err, SR_E_USAGE,
                              "option --%s is given twice ('%.100s' and '%.100s'); it takes one "
                              "value",
                              o->name, a->given[i].value, value);
                return usage(a, err);
            }
    struct sr_given *grown = realloc(a->given, (a->given_len + 1) * sizeof *grown);
    if (!grown)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory while reading the command line");
    a->given = grown;
    a->given[a->given_len++] = (struct sr_given){o, value};
    return SR_OK;
}

/* Nonzero when the word after an option can be its value. */
static int is_value(const char *word)
{
    return word && (word[0] != '-' || word[1] == '\0');
}

/* Reads the long option argv[*i]; moves *i on when the value was the next word. */
static int long_read(struct sr_args *a, int argc, char *const *argv, int *i, struct sr_error *err)
{
    const char *name = argv[*i] + 2;
    const char *eq = strchr(name, '=');
    size_t len = eq ? (size_t)(eq - name) : strlen(name);
    const struct sr_option *o = option_find(a, name, len);
    if (!o) {
        char typed[80], bare[80];
        (void)snprintf(typed, sizeof typed, "--%.*s", len < 70 ? (int)len : 70, name);
        (void)snprintf(bare, sizeof bare, "%.*s", len < 70 ? (int)len : 70, name);
        return unknown_option(a, typed, bare, err);
    }
    if (o->kind == SR_OPTION_FLAG) {
        if (eq) {
            (void)sr_fail(err, SR_E_USAGE, "option --%s takes no value", o->name);
            return usage(a, err);
        }
        return given_add(a, o, NULL, err);
    }
    const char *value = eq ? eq + 1 : NULL;
    if (!value) {
        const char *next = *i + 1 < argc ? argv[*i + 1] : NULL;
        if (!is_value(next)) {
            (void)sr_fail(err, SR_E_USAGE, "option --%s needs a value: --%s %s", o->name, o->name,
                          o->arg);
            if (next)
                (void)sr_error_append(err, " (one that begins with a dash is written --%s=%.100s)",
                                      o->name, next);
            return usage(a, err);
        }
        value = next;
        (*i)++;
    }
    int rc = value_check(a, o, value, err);
    return rc == SR_OK ? given_add(a, o, value, err) : rc;
}

static int letters_read(struct sr_args *a, const char *word, struct sr_error *err)
{
    for (const char *l = word + 1; *l; l++) {
        const struct sr_option *o = letter_find(a, *l);
        if (!o)
            return unknown_option(a, word, word + 1, err);
        int rc = given_add(a, o, NULL, err);
        if (rc != SR_OK)
            return rc;
    }
    return SR_OK;
}

/* Position of the verb in argv, or argc: the first word that is neither an option nor the value of
 * one. */
static int verb_position(const struct sr_verb *const *verbs, const struct sr_option *common,
                         int argc, char *const *argv)
{
    for (int i = 1; i < argc; i++) {
        const char *w = argv[i];
        if (strcmp(w, "--") == 0)
            return argc;
        if (w[0] != '-' || w[1] == '\0')
            return i;
        if (w[1] != '-' || strchr(w, '='))
            continue;
        const struct sr_option *o = anywhere_find(verbs, common, w + 2, strlen(w + 2));
        if (o && o->kind != SR_OPTION_FLAG && i + 1 < argc && is_value(argv[i + 1]))
            i++;
    }
    return argc;
}

static const struct sr_given *given_find(const struct sr_args *a, const char *name, size_t len)
{
    for (size_t i = 0; i < a->given_len; i++)
        if (strlen(a->given[i].option->name) == len &&
            memcmp(a->given[i].option->name, name, len) == 0)
            return &a->given[i];
    return NULL;
}

static int relations_check(const struct sr_args *a, struct sr_error *err)
{
    for (size_t i = 0; i < a->given_len; i++) {
        const struct sr_option *o = a->given[i].option;
        for (const char *p = o->not_with; p && *p;) {
            size_t len = strcspn(p, ",");
            if (given_find(a, p, len)) {
                (void)sr_fail(err, SR_E_USAGE, "options --%s and --%.*s exclude each other",
                              o->name, (int)len, p);
                return usage(a, err);
            }
            p += len + (p[len] == ',');
        }
        if (o->needs && !given_find(a, o->needs, strlen(o->needs))) {
            (void)sr_fail(err, SR_E_USAGE, "option --%s has a meaning only together with --%s",
                          o->name, o->needs);
            return usage(a, err);
        }
    }
    return SR_OK;
}

static int operands_check(const struct sr_args *a, struct sr_error *err)
{
    const struct sr_verb *v = a->verb;
    int n = (int)a->operands.len;
    if (n < v->operands_min) {
        (void)sr_fail(err, SR_E_USAGE, "%s needs %s: strongroom %s %s", v->name, v->operand,
                      v->name, v->synopsis);
        return usage(a, err);
    }
    if (v->operands_max >= 0 && n > v->operands_max) {
        (void)sr_fail(err, SR_E_USAGE, "%s takes %s%s, '%.100s' is one too many", v->name,
                      v->operands_max == 0 ? "no operands" : "one ",
                      v->operands_max == 0 ? "" : v->operand, a->operands.items[v->operands_max]);
        if (v->tail)
            (void)sr_error_append(err, " (%s come after --)", v->tail);
        return usage(a, err);
    }
    return SR_OK;
}

int sr_verb_find(const struct sr_verb *const *verbs, const char *name, const struct sr_verb **ret,
                 struct sr_error *err)
{
    const char *words[NAMES_MAX + 1];
    size_t n = 0;
    for (const struct sr_verb *const *v = verbs; *v && n < NAMES_MAX; v++) {
        if (strcmp((*v)->name, name) == 0) {
            *ret = *v;
            return SR_OK;
        }
        words[n++] = (*v)->name;
    }
    words[n] = NULL;
    const char *near = sr_nearest(name, words);
    (void)sr_fail(err, SR_E_USAGE, "unknown verb '%.100s'", name);
    if (near)
        (void)sr_error_append(err, "; did you mean %s?", near);
    return sr_error_append(err, "; `strongroom help` lists them");
}

int sr_args_parse(const struct sr_verb *const *verbs, const struct sr_option *common, int argc,
                  char *const *argv, struct sr_args *ret, struct sr_error *err)
{
    ret->common = common;
    int at = verb_position(verbs, common, argc, argv);
    if (at < argc) {
        int rc = sr_verb_find(verbs, argv[at], &ret->verb, err);
        if (rc != SR_OK)
            return rc;
    }
    int ended = 0;
    for (int i = 1; i < argc; i++) {
        const char *w = argv[i];
        int rc = SR_OK;
        if (i == at)
            continue;
        if (ended && ret->verb && ret->verb->tail)
            rc = sr_strlist_add(&ret->tail, w);
        else if (ended || w[0] != '-' || w[1] == '\0')
            rc = sr_strlist_add(&ret->operands, w);
        else if (strcmp(w, "--") == 0)
            ended = 1;
        else if (w[1] == '-')
            rc = long_read(ret, argc, argv, &i, err);
        else
            rc = letters_read(ret, w, err);
        if (rc == SR_E_NO_MEMORY)
            return sr_fail(err, rc, "out of memory while reading the command line");
        if (rc != SR_OK)
            return rc;
    }
    if (given_find(ret, "help", 4) || given_find(ret, "version", 7))
        return SR_OK;
    int rc = relations_check(ret, err);
    return rc == SR_OK && ret->verb ? operands_check(ret, err) : rc;
}

void sr_args_done(struct sr_args *a)
{
    free(a->given);
    sr_strlist_done(&a->operands);
    sr_strlist_done(&a->tail);
    *a = (struct sr_args){0};
}

static const struct sr_given *ask(const struct sr_args *a, const char *name)
{
    if (!option_find(a, name, strlen(name)))
        abort();
    return given_find(a, name, strlen(name));
}

int sr_args_flag(const struct sr_args *a, const char *name)
{
    int n = 0;
    if (ask(a, name))
        for (size_t i = 0; i < a->given_len; i++)
            n += strcmp(a->given[i].option->name, name) == 0;
    return n;
}

const char *sr_args_str(const struct sr_args *a, const char *name)
{
    const struct sr_given *g = ask(a, name);
    return g ? g->value : NULL;
}

int sr_args_list(const struct sr_args *a, const char *name, struct sr_strlist *ret)
{
    int rc = SR_OK;
    if (ask(a, name))
        for (size_t i = 0; rc == SR_OK && i < a->given_len; i++)
            if (strcmp(a->given[i].option->name, name) == 0)
                rc = sr_strlist_add(ret, a->given[i].value);
    return rc;
}

uint64_t sr_args_number(const struct sr_args *a, const char *name, uint64_t fallback)
{
    const struct sr_given *g = ask(a, name);
    uint64_t n = fallback;
    if (g && g->option->type == SR_VALUE_DURATION)
        (void)sr_parse_duration(g->value, &n);
    else if (g)
        (void)sr_parse_u64(g->value, &n);
    return n;
}

int sr_args_settings(const struct sr_args *a, struct sr_strlist *ret)
{
    int rc = SR_OK;
    for (size_t i = 0; rc == SR_OK && i < a->given_len; i++) {
        const struct sr_option *o = a->given[i].option;
        const char *value = a->given[i].value ? a->given[i].value : o->stands;
        if (o->setting && value)
            rc = sr_strlist_addf(ret, "%s=%s", o->setting, value);
    }
    return rc;
}

int sr_args_wants_json(int argc, char *const *argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return 1;
    return 0;
}
