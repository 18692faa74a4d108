#include "common/aws_profile.h"
#include "common/buf.h"
#include "common/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Which of several sections of one profile wins. */
enum rank {
    RANK_MISNAMED, /* [x] in the config file: not used, but worth a hint */
    RANK_CONFIG,
    RANK_CONFIG_PROFILE_DEFAULT,
    RANK_CREDENTIALS,
};

/* A line; also one with the name "" for each section, so that an empty profile exists. */
struct entry {
    enum rank rank;
    size_t source; /* index of its path */
    char *profile, *name, *value;
};

struct sc_aws_profiles {
    struct entry *items;
    size_t len, cap;
    char *paths[2];
    size_t n_paths;
};

static void free_text(char *s)
{
    if (s)
        sc_wipe(s, strlen(s));
    free(s);
}

struct sc_aws_profiles *sc_aws_profiles_new(void)
{
    return calloc(1, sizeof(struct sc_aws_profiles));
}

void sc_aws_profiles_free(struct sc_aws_profiles *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->len; i++) {
        free(p->items[i].profile);
        free(p->items[i].name);
        free_text(p->items[i].value);
    }
    free(p->items);
    for (size_t i = 0; i < p->n_paths; i++)
        free(p->paths[i]);
    free(p);
}

/* --- parsing --- */

struct slice {
    const char *s;
    size_t len;
};

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static struct slice trim(struct slice t)
{
    while (t.len > 0 && is_blank(t.s[0]))
        t = (struct slice){t.s + 1, t.len - 1};
    while (t.len > 0 && is_blank(t.s[t.len - 1]))
        t.len--;
    return t;
}

static int equals(struct slice t, const char *s)
{
    return t.len == strlen(s) && memcmp(t.s, s, t.len) == 0;
}

struct section {
    int used; /* a profile, right or misnamed */
    enum rank rank;
    struct slice name;
};

struct parser {
    struct sc_aws_profiles *set;
    const char *path;
    enum sc_aws_file file;
    size_t line, source;
    int in_section, in_value;
    struct section section;
};

static int32_t bad_line(const struct parser *p, const char *why, struct sc_error *err)
{
    return sc_fail(err, SR_STORAGE_E_CONFIG, "%s, line %zu: %s", p->path, p->line, why);
}

static char *lower(struct slice t)
{
    char *out = strndup(t.s, t.len);
    for (char *c = out; c && *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return out;
}

static int32_t add(struct parser *p, struct slice name, struct slice value, struct sc_error *err)
{
    struct sc_aws_profiles *set = p->set;
    if (set->len == set->cap) {
        size_t cap = set->cap ? set->cap * 2 : 32;
        struct entry *grown = reallocarray(set->items, cap, sizeof *grown);
        if (!grown)
            return sc_fail_memory(err);
        set->items = grown;
        set->cap = cap;
    }
    struct entry *e = &set->items[set->len++];
    *e = (struct entry){p->section.rank, p->source, strndup(p->section.name.s, p->section.name.len),
                        lower(name), strndup(value.s, value.len)};
    return e->profile && e->name && e->value ? SR_STORAGE_OK : sc_fail_memory(err);
}

static struct slice unquoted(struct slice t)
{
    if (t.len >= 2 && (t.s[0] == '"' || t.s[0] == '\'') && t.s[t.len - 1] == t.s[0])
        t = (struct slice){t.s + 1, t.len - 2};
    return t;
}

static struct section section_of(enum sc_aws_file file, struct slice name)
{
    if (file == SC_AWS_FILE_CREDENTIALS)
        return (struct section){1, RANK_CREDENTIALS, name};
    if (equals(name, "default"))
        return (struct section){1, RANK_CONFIG, name};
    size_t word = 0;
    while (word < name.len && !is_blank(name.s[word]))
        word++;
    struct slice rest = unquoted(trim((struct slice){name.s + word, name.len - word}));
    if (rest.len == 0)
        return (struct section){1, RANK_MISNAMED, name};
    if (!equals((struct slice){name.s, word}, "profile"))
        return (struct section){0, RANK_CONFIG, name};
    return (struct section){1, equals(rest, "default") ? RANK_CONFIG_PROFILE_DEFAULT : RANK_CONFIG,
                            rest};
}

static int32_t begin_section(struct parser *p, struct slice line, struct sc_error *err)
{
    const char *end = memchr(line.s, ']', line.len);
    if (!end)
        return bad_line(p, "the section's ']' is missing", err);
    struct slice behind = trim((struct slice){end + 1, line.len - (size_t)(end + 1 - line.s)});
    if (behind.len > 0 && behind.s[0] != '#' && behind.s[0] != ';')
        return bad_line(p, "something stands behind the section's ']'", err);
    struct slice name = trim((struct slice){line.s + 1, (size_t)(end - line.s) - 1});
    if (name.len == 0)
        return bad_line(p, "the section has no name", err);
    p->in_section = 1;
    p->in_value = 0;
    p->section = section_of(p->file, name);
    return p->section.used ? add(p, (struct slice){"", 0}, (struct slice){"", 0}, err)
                           : SR_STORAGE_OK;
}

/* An indented line: it goes on with the value of the line above, on a line of its own. */
static int32_t go_on(struct parser *p, struct slice text, struct sc_error *err)
{
    if (!p->section.used)
        return SR_STORAGE_OK;
    struct entry *e = &p->set->items[p->set->len - 1];
    size_t old = strlen(e->value);
    if (old + text.len > SC_AWS_PROFILE_VALUE_MAX)
        return bad_line(p, "the value that it goes on with is too long", err);
    char *grown = malloc(old + 1 + text.len + 1);
    if (!grown)
        return sc_fail_memory(err);
    memcpy(grown, e->value, old);
    grown[old] = '\n';
    memcpy(grown + old + 1, text.s, text.len);
    grown[old + 1 + text.len] = '\0';
    free_text(e->value);
    e->value = grown;
    return SR_STORAGE_OK;
}

static int32_t parse_line(struct parser *p, struct slice line, struct sc_error *err)
{
    struct slice text = trim(line);
    if (text.len == 0 || text.s[0] == '#' || text.s[0] == ';')
        return SR_STORAGE_OK;
    if (p->in_value && is_blank(line.s[0]))
        return go_on(p, text, err);
    if (text.s[0] == '[')
        return begin_section(p, text, err);
    if (!p->in_section)
        return bad_line(p, "it stands before the first [section]", err);
    size_t n = 0;
    while (n < text.len && text.s[n] != '=' && text.s[n] != ':')
        n++;
    struct slice name = trim((struct slice){text.s, n});
    if (n == text.len || name.len == 0)
        return bad_line(p, "neither a [section] nor a pair NAME = VALUE", err);
    p->in_value = 1;
    return p->section.used
               ? add(p, name, trim((struct slice){text.s + n + 1, text.len - n - 1}), err)
               : SR_STORAGE_OK;
}

int32_t sc_aws_profiles_parse(struct sc_aws_profiles *set, enum sc_aws_file file, const char *path,
                              const char *text, size_t len, struct sc_error *err)
{
    struct parser p = {.set = set, .path = path, .file = file, .source = set->n_paths};
    if (len > SC_AWS_PROFILE_FILE_MAX)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "%s is longer than %zu bytes", path,
                       SC_AWS_PROFILE_FILE_MAX);
    if (len > 0 && memchr(text, '\0', len))
        return sc_fail(err, SR_STORAGE_E_CONFIG, "%s has a NUL byte in it", path);
    if (set->n_paths == sizeof set->paths / sizeof *set->paths)
        return sc_fail(err, SR_STORAGE_E_INTERNAL, "%s: a third file of profiles", path);
    if (!(set->paths[set->n_paths] = strdup(path)))
        return sc_fail_memory(err);
    set->n_paths++;
    size_t at = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    int32_t rc = SR_STORAGE_OK;
    while (at < len && rc == SR_STORAGE_OK) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t n = end ? (size_t)(end - text) - at : len - at;
        p.line++;
        rc = parse_line(&p, (struct slice){text + at, n}, err);
        at += n + 1;
    }
    return rc;
}

/* Not blocking: a pipe without a writer then reads as empty instead of hanging the backup. */
static int32_t read_file(const char *path, struct sc_buf *out, struct sc_error *err)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? SR_STORAGE_OK
                   : sc_fail_errno(err, errno, "cannot read the AWS profiles in %s", path);
    char piece[4096];
    ssize_t n = 0;
    while ((n = read(fd, piece, sizeof piece)) > 0)
        (void)sc_buf_add(out, piece, (size_t)n);
    int failed = n < 0 ? errno : 0;
    sc_wipe(piece, sizeof piece);
    return failed ? sc_fail_errno(err, failed, "cannot read the AWS profiles in %s", path)
                  : sc_buf_check(out, err, path);
}

static int32_t load_file(struct sc_aws_profiles *set, enum sc_aws_file file, const char *path,
                         struct sc_error *err)
{
    if (!path || !*path)
        return SR_STORAGE_OK;
    _cleanup_(sc_buf_done) struct sc_buf text = SC_BUF_SECRET_INIT(SC_AWS_PROFILE_FILE_MAX);
    int32_t rc = read_file(path, &text, err);
    return rc == SR_STORAGE_OK
               ? sc_aws_profiles_parse(set, file, path, sc_buf_str(&text), text.len, err)
               : rc;
}

int32_t sc_aws_profiles_load(const char *credentials, const char *config,
                             struct sc_aws_profiles **ret, struct sc_error *err)
{
    _cleanup_(sc_aws_profiles_freep) struct sc_aws_profiles *set = sc_aws_profiles_new();
    if (!set)
        return sc_fail_memory(err);
    int32_t rc = load_file(set, SC_AWS_FILE_CREDENTIALS, credentials, err);
    if (rc == SR_STORAGE_OK)
        rc = load_file(set, SC_AWS_FILE_CONFIG, config, err);
    if (rc == SR_STORAGE_OK)
        *ret = sc_steal_ptr(set);
    return rc;
}

/* --- asking --- */

int sc_aws_profile_exists(const struct sc_aws_profiles *p, const char *profile)
{
    return sc_aws_profile_get(p, profile, "") != NULL;
}

int sc_aws_profile_is_misnamed(const struct sc_aws_profiles *p, const char *profile)
{
    for (size_t i = 0; i < p->len; i++)
        if (p->items[i].rank == RANK_MISNAMED && strcmp(p->items[i].profile, profile) == 0)
            return 1;
    return 0;
}

static const struct entry *find(const struct sc_aws_profiles *p, const char *profile,
                                const char *key, enum rank min)
{
    const struct entry *best = NULL;
    for (size_t i = 0; i < p->len; i++) {
        const struct entry *e = &p->items[i];
        if (e->rank >= min && e->rank > RANK_MISNAMED && (!best || e->rank >= best->rank) &&
            strcmp(e->profile, profile) == 0 && strcmp(e->name, key) == 0)
            best = e;
    }
    return best;
}

const char *sc_aws_profile_get(const struct sc_aws_profiles *p, const char *profile,
                               const char *key)
{
    const struct entry *e = find(p, profile, key, RANK_CONFIG);
    return e ? e->value : NULL;
}

const char *sc_aws_profile_key_like(const struct sc_aws_profiles *p, const char *profile,
                                    const char *prefix)
{
    for (size_t i = 0; i < p->len; i++) {
        const struct entry *e = &p->items[i];
        if (e->rank > RANK_MISNAMED && strcmp(e->profile, profile) == 0 &&
            strncmp(e->name, prefix, strlen(prefix)) == 0)
            return e->name;
    }
    return NULL;
}

int32_t sc_aws_profile_keys(const struct sc_aws_profiles *p, const char *profile,
                            struct sc_aws_profile_keys *ret, struct sc_error *err)
{
    const struct entry *id = find(p, profile, "aws_access_key_id", RANK_CONFIG);
    const struct entry *secret = find(p, profile, "aws_secret_access_key", RANK_CONFIG);
    if (!id && !secret)
        return sc_fail(err, SR_STORAGE_E_NOT_FOUND, "profile '%s' has no keys", profile);
    const struct entry *best = !id || (secret && secret->rank > id->rank) ? secret : id;
    if (!id || !secret || id->rank != secret->rank)
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "profile '%s' of %s has %s without %s; both belong there", profile,
                       p->paths[best->source], best->name,
                       best == id ? "aws_secret_access_key" : "aws_access_key_id");
    const struct entry *token = find(p, profile, "aws_session_token", best->rank);
    *ret = (struct sc_aws_profile_keys){
        id->value, secret->value,
        token && token->rank == best->rank && *token->value ? token->value : NULL,
        p->paths[best->source]};
    return SR_STORAGE_OK;
}
