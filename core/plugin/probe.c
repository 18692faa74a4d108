#include "config.h"
#include "core/plugin/probe.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/program.h"
#include "core/util/subprocess.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What the probe prints: "at STEP" lines, then "ok" or "refused CODE TEXT". */
#define ANSWER_MAX 16384

static int probe_program(char **ret, struct sr_error *err)
{
    _cleanup_free_ char *self = NULL, *child = NULL;
    int rc = sr_program_self(&self, err);
    if (rc == SR_OK)
        rc = sr_program_child_helper(self, &child, err);
    if (rc != SR_OK)
        return rc;
    int dir = (int)(strrchr(child, '/') - child);
    return asprintf(ret, "%.*s/strongroom-probe", dir, child) < 0
               ? sr_fail(err, SR_E_NO_MEMORY, "out of memory")
               : SR_OK;
}

/* The last line that begins with word, without it; NULL: none. Cuts the line at its end. */
static char *last_line(char *text, const char *word)
{
    char *found = NULL;
    size_t n = strlen(word);
    for (char *line = text; line && *line;) {
        char *end = strchr(line, '\n');
        if (strncmp(line, word, n) == 0)
            found = line + n;
        line = end ? end + 1 : NULL;
    }
    if (found)
        found[strcspn(found, "\n")] = '\0';
    return found;
}

static int refused(const char *answer, struct sr_error *err)
{
    char *text = NULL;
    long code = strtol(answer, &text, 10);
    if (code <= 0 || code > 1000)
        code = SR_E_CONFIG;
    return sr_fail(err, (int)code, "%s", *text == ' ' ? text + 1 : text);
}

int sr_plugin_probe(const char *file, int deadline_ms, struct sr_error *err)
{
    _cleanup_free_ char *program = NULL;
    int rc = probe_program(&program, err);
    if (rc != SR_OK)
        return sr_error_wrap(err, "cannot try plugin %s in a process of its own", file);
    char *argv[] = {program, (char *)(uintptr_t)file, NULL};
    struct sr_buf out;
    struct sr_error why = SR_ERROR_INIT;
    sr_buf_init(&out, ANSWER_MAX);
    rc = sr_child_run(argv, NULL, deadline_ms, &out, &why);
    _cleanup_free_ char *text = sr_buf_steal(&out);
    sr_buf_done(&out);
    if (!text)
        return sr_fail(err, SR_E_NO_MEMORY, "cannot try plugin %s: out of memory", file);
    _cleanup_free_ char *copy = strdup(text);
    char *answer = last_line(text, "refused "), *at = copy ? last_line(copy, "at ") : NULL;
    if (answer)
        return refused(answer, err);
    if (rc == SR_E_TIMEOUT)
        return sr_fail(err, SR_E_CONFIG,
                       "plugin %s refused: tried in a process of its own, it did not come through "
                       "%s within %d ms",
                       file, at ? at : "being loaded", deadline_ms);
    if (rc != SR_OK)
        return sr_fail(err, SR_E_CONFIG,
                       "plugin %s refused: tried in a process of its own, it did not come through "
                       "%s: %s",
                       file, at ? at : "being loaded", why.text);
    if (strcmp(text, "") == 0 || !last_line(text, "ok"))
        return sr_fail(err, SR_E_CONFIG,
                       "plugin %s refused: tried in a process of its own, it ended that process in "
                       "%s",
                       file, at ? at : "being loaded");
    return SR_OK;
}
