/* DATABASE_URL as people write it: libpq's two forms, ORM prefixes, passwords left unencoded. */
#include "config.h"
#include "core/source/pg_params.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"

#include <ctype.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX 65536 /* longer than any connection string, short enough to copy freely */

/* A part of the text. */
struct span {
    const char *at;
    size_t len;
};

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes; a % that two hex digits do not follow, and %00, stand for themselves. */
static char *decode(struct span s)
{
    char *out = malloc(s.len + 1);
    size_t n = 0;
    if (!out)
        return NULL;
    for (size_t i = 0; i < s.len; i++) {
        int hi = s.at[i] == '%' && i + 2 < s.len ? hex_value(s.at[i + 1]) : -1;
        int lo = hi >= 0 ? hex_value(s.at[i + 2]) : -1;
        if (lo >= 0 && (hi | lo) != 0) {
            out[n++] = (char)(hi * 16 + lo);
            i += 2;
        } else {
            out[n++] = s.at[i];
        }
    }
    out[n] = '\0';
    return out;
}

static int set_decoded(struct sr_pg_params *p, const char *key, struct span value)
{
    char *text = decode(value);
    if (!text)
        return SR_E_NO_MEMORY;
    int rc = sr_pg_params_set(p, key, text);
    explicit_bzero(text, strlen(text));
    free(text);
    return rc;
}

static size_t span_find(struct span s, const char *set)
{
    size_t i = 0;
    while (i < s.len && !strchr(set, s.at[i]))
        i++;
    return i;
}

static struct span span_from(struct span s, size_t i)
{
    return (struct span){s.at + i, s.len - i};
}

/* --- where the parts are --- */

/* Nonzero when s can be one "host", "host:port", "[v6]:port" or nothing; *ret_host gets the host
 * without brackets, *ret_port the port. */
static int host_parse(struct span s, struct span *ret_host, struct span *ret_port)
{
    struct span host = s, port = {s.at + s.len, 0};
    if (s.len > 0 && s.at[0] == '[') {
        size_t end = span_find(s, "]");
        if (end == s.len)
            return 0;
        host = (struct span){s.at + 1, end - 1};
        port = span_from(s, end + 1);
        if (port.len > 0 && port.at[0] != ':')
            return 0;
        for (size_t i = 0; i < host.len; i++)
            if (!isxdigit((unsigned char)host.at[i]) && !strchr(":.%", host.at[i]) &&
                !isalnum((unsigned char)host.at[i]))
                return 0;
    } else {
        size_t colon = span_find(s, ":");
        host.len = colon;
        port = span_from(s, colon);
        for (size_t i = 0; i < host.len; i++)
            if (!isalnum((unsigned char)host.at[i]) && !strchr(".-_%", host.at[i]) &&
                !((unsigned char)host.at[i] & 0x80))
                return 0;
    }
    if (port.len > 0)
        port = span_from(port, 1);
    if (port.len > 5)
        return 0;
    for (size_t i = 0; i < port.len; i++)
        if (!isdigit((unsigned char)port.at[i]))
            return 0;
    *ret_host = host;
    *ret_port = port;
    return 1;
}

static int hosts_valid(struct span s)
{
    for (;;) {
        struct span host, port;
        size_t n = span_find(s, ",");
        if (!host_parse((struct span){s.at, n}, &host, &port))
            return 0;
        if (n == s.len)
            return 1;
        s = span_from(s, n + 1);
    }
}

/* Nonzero when s reads as key=value&key=value. */
static int query_valid(struct span s)
{
    while (s.len > 0) {
        size_t n = span_find(s, "&"), eq = span_find(s, "=");
        if (n > 0 && (eq == 0 || eq > n || eq == s.len))
            return 0;
        for (size_t i = 0; i < eq && i < n; i++)
            if (!isalnum((unsigned char)s.at[i]) && !strchr("_.-", s.at[i]))
                return 0;
        s = span_from(s, n < s.len ? n + 1 : n);
    }
    return 1;
}

struct url {
    struct span userinfo, hosts, database, query;
    int has_userinfo;
};

/* Splits what follows the userinfo; nonzero when it makes sense. */
static int rest_parse(struct span rest, struct url *u)
{
    size_t slash = span_find(rest, "/?");
    u->hosts = (struct span){rest.at, slash};
    struct span path = span_from(rest, slash);
    size_t question = span_find(path, "?");
    u->database = path.len > 0 && path.at[0] == '/' ? (struct span){path.at + 1, question - 1}
                                                    : (struct span){path.at, 0};
    u->query =
        question < path.len ? span_from(path, question + 1) : (struct span){path.at + path.len, 0};
    return hosts_valid(u->hosts) && query_valid(u->query);
}

/* Nonzero when the path holds "@something/": far likelier the end of a password with a slash in it
 * than a database's name. */
static int path_hides_host(const struct url *u)
{
    size_t at = span_find(u->database, "@");
    return at < u->database.len && memchr(u->database.at + at, '/', u->database.len - at) != NULL;
}

/* The userinfo ends at the last @ before the first / or ?, as the standard has it. Where that makes
 * no sense, a password holds a / or ? itself, and the last @ after which things make sense ends it.
 */
static int url_split(struct span s, struct url *ret)
{
    size_t authority = span_find(s, "/?"), at = authority;
    while (at > 0 && s.at[at - 1] != '@')
        at--;
    struct url u = {.has_userinfo = at > 0};
    u.userinfo = (struct span){s.at, at > 0 ? at - 1 : 0};
    int fits = rest_parse(span_from(s, at), &u);
    if (fits && !path_hides_host(&u)) {
        *ret = u;
        return 1;
    }
    for (size_t i = s.len; i > authority; i--) {
        struct url v = {.has_userinfo = 1, .userinfo = {s.at, i - 1}};
        if (s.at[i - 1] == '@' && rest_parse(span_from(s, i), &v)) {
            *ret = v;
            return 1;
        }
    }
    *ret = u;
    return fits;
}

/* --- parts to keywords --- */

static int hosts_set(struct sr_pg_params *p, struct span s)
{
    struct sr_buf hosts, ports;
    int any_port = 0, rc = SR_OK;
    sr_buf_init(&hosts, TEXT_MAX);
    sr_buf_init(&ports, TEXT_MAX);
    if (s.len == 0)
        return SR_OK;
    for (int first = 1; rc == SR_OK; first = 0) {
        struct span host = {0}, port = {0};
        size_t n = span_find(s, ",");
        (void)host_parse((struct span){s.at, n}, &host, &port);
        _cleanup_free_ char *text = decode(host);
        if (!text)
            rc = SR_E_NO_MEMORY;
        if (rc == SR_OK && !first)
            rc = sr_buf_addc(&hosts, ',');
        if (rc == SR_OK)
            rc = sr_buf_adds(&hosts, text);
        if (rc == SR_OK && !first)
            rc = sr_buf_addc(&ports, ',');
        if (rc == SR_OK)
            rc = sr_buf_add(&ports, port.at, port.len);
        any_port |= port.len > 0;
        if (n == s.len)
            break;
        s = span_from(s, n + 1);
    }
    if (rc == SR_OK)
        rc = sr_pg_params_set(p, "host", sr_buf_str(&hosts));
    if (rc == SR_OK && any_port)
        rc = sr_pg_params_set(p, "port", sr_buf_str(&ports));
    sr_buf_done(&hosts);
    sr_buf_done(&ports);
    return rc;
}

static int is_one_of(const char *s, const char *const *words)
{
    for (; *words; words++)
        if (strcasecmp(s, *words) == 0)
            return 1;
    return 0;
}

/* What ORMs, pools and drivers put into a URL for themselves; nothing to a dump. */
static const char *const foreign_words[] = {"schema",
                                            "currentSchema",
                                            "pgbouncer",
                                            "connection_limit",
                                            "pool_timeout",
                                            "pool_size",
                                            "pool_max_size",
                                            "pool_min_size",
                                            "pool",
                                            "pool_recycle",
                                            "pool_pre_ping",
                                            "max_overflow",
                                            "minPoolSize",
                                            "maxPoolSize",
                                            "min_size",
                                            "max_size",
                                            "max_inactive_connection_lifetime",
                                            "socket_timeout",
                                            "socketTimeout",
                                            "timeout",
                                            "command_timeout",
                                            "statement_timeout",
                                            "statement_cache_size",
                                            "prepared_statement_cache_size",
                                            "prepared_statements",
                                            "prepared_statement_name_func",
                                            "prepareThreshold",
                                            "preparedStatementCacheQueries",
                                            "reWriteBatchedInserts",
                                            "statement_cache_mode",
                                            "statement-cache-capacity",
                                            "binary_parameters",
                                            "default_query_exec_mode",
                                            "pool_max_conns",
                                            "pool_min_conns",
                                            "pool_max_conn_lifetime",
                                            "ApplicationName",
                                            "applicationName",
                                            "serverVersion",
                                            "server_version",
                                            "charset",
                                            "encoding",
                                            "driver",
                                            "adapter",
                                            "timezone",
                                            "reaping_frequency",
                                            "checkout_timeout",
                                            "sslaccept",
                                            "sslidentity",
                                            "sslfactory",
                                            "uselibpqcompat",
                                            "sslnegotiation",
                                            "async_fallback",
                                            "conn_max_age",
                                            "loglevel",
                                            "log_level",
                                            "workaround",
                                            "supa",
                                            "stringtype",
                                            "tcpKeepAlive",
                                            "connectTimeout",
                                            "loginTimeout",
                                            "auto_prepare",
                                            "disable_prepared_binary_result",
                                            "direct_tls",
                                            "record_class",
                                            "server_settings",
                                            "options_map",
                                            "json_serializer",
                                            NULL};

static int ssl_word_set(struct sr_pg_params *p, const char *value)
{
    static const char *const on[] = {"true", "1", "on", "yes", NULL};
    static const char *const modes[] = {"disable",   "allow",       "prefer", "require",
                                        "verify-ca", "verify-full", NULL};
    if (sr_pg_params_get(p, "sslmode"))
        return SR_OK;
    if (is_one_of(value, on))
        return sr_pg_params_set(p, "sslmode", "require");
    /* asyncpg's spelling; "false" leaves libpq's default, which works with either server. */
    return is_one_of(value, modes) ? sr_pg_params_set(p, "sslmode", value) : SR_OK;
}

static int libpq_knows(const PQconninfoOption *known, const char *key)
{
    for (; known && known->keyword; known++)
        if (strcmp(known->keyword, key) == 0)
            return 1;
    return 0;
}

/* nth: which of the parameters this is, from 1. An unknown one is told by its place alone: its name
 * may be a piece of a password that holds a ? or & as it is. */
static int query_word(struct sr_pg_params *p, const PQconninfoOption *known, const char *key,
                      const char *value, const char *setting, size_t nth, struct sr_error *err)
{
    int rc;
    if (strcmp(key, "replication") == 0)
        return sr_fail(err, SR_E_CONFIG,
                       "%s asks for a replication connection (replication=...), which cannot be "
                       "dumped through; take that parameter out",
                       setting);
    if (strcmp(key, "ssl") == 0)
        rc = ssl_word_set(p, value);
    else if (strcmp(key, "username") == 0)
        rc = sr_pg_params_set(p, "user", value);
    else if (libpq_knows(known, key))
        rc = sr_pg_params_set(p, key, value);
    else if (is_one_of(key, foreign_words)) {
        sr_log(SR_LOG_INFO,
               "%s: parameter %zu after the ? is not PostgreSQL's own and is passed over", setting,
               nth);
        rc = SR_OK;
    } else
        return sr_fail(err, SR_E_CONFIG,
                       "%s: PostgreSQL does not know parameter %zu after the ? (its name is not "
                       "shown, it may be part of a password); take it out, or percent-encode the "
                       "password if it holds a ? or & (%%3F, %%26)",
                       setting, nth);
    return rc == SR_OK ? rc : sr_fail(err, rc, "reading %s: %s", setting, sr_code_name(rc));
}

static int query_set(struct sr_pg_params *p, struct span s, const char *setting,
                     struct sr_error *err)
{
    PQconninfoOption *known = PQconndefaults();
    size_t nth = 0;
    int rc = known ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "reading %s: out of memory", setting);
    while (s.len > 0 && rc == SR_OK) {
        size_t n = span_find(s, "&"), eq = span_find(s, "=");
        nth += n > 0;
        if (n > 0 && eq < n) {
            _cleanup_free_ char *key = decode((struct span){s.at, eq});
            char *value = decode((struct span){s.at + eq + 1, n - eq - 1});
            rc = key && value ? query_word(p, known, key, value, setting, nth, err)
                              : sr_fail(err, SR_E_NO_MEMORY, "reading %s: out of memory", setting);
            if (value)
                explicit_bzero(value, strlen(value));
            free(value);
        }
        s = span_from(s, n < s.len ? n + 1 : n);
    }
    PQconninfoFree(known);
    return rc;
}

static int url_set(struct sr_pg_params *p, struct span s, const char *setting, struct sr_error *err)
{
    struct url u;
    if (!url_split(s, &u))
        return sr_fail(err, SR_E_CONFIG,
                       "%s cannot be taken apart into user:password@host:port/database; "
                       "percent-encode what is special in its parts (@ is %%40, / is %%2F, : is "
                       "%%3A, ? is %%3F)",
                       setting);
    int rc = SR_OK;
    if (u.has_userinfo) {
        size_t colon = span_find(u.userinfo, ":");
        rc = set_decoded(p, "user", (struct span){u.userinfo.at, colon});
        if (rc == SR_OK && colon < u.userinfo.len)
            rc = set_decoded(p, "password", span_from(u.userinfo, colon + 1));
    }
    if (rc == SR_OK)
        rc = hosts_set(p, u.hosts);
    if (rc == SR_OK)
        rc = set_decoded(p, "dbname", u.database);
    if (rc != SR_OK)
        return sr_fail(err, rc, "reading %s: %s", setting, sr_code_name(rc));
    return query_set(p, u.query, setting, err);
}

/* --- which form it is --- */

/* Past "scheme://" when the scheme is one of ours, also with "+driver" and after "jdbc:"; NULL when
 * there is no scheme at all. An unknown scheme leaves *ret_unknown set. */
static const char *after_scheme(const char *s, int *ret_unknown)
{
    static const char *const ours[] = {"postgres", "postgresql", "postgis", "pgsql", NULL};
    *ret_unknown = 0;
    if (strncasecmp(s, "jdbc:", 5) == 0)
        s += 5;
    size_t n = 0;
    while (isalnum((unsigned char)s[n]) || (n > 0 && s[n] != '\0' && strchr("+-._", s[n])))
        n++;
    if (n == 0 || strncmp(s + n, "://", 3) != 0)
        return NULL;
    char scheme[16] = "";
    size_t base = strcspn(s, "+:");
    if (base < sizeof scheme)
        memcpy(scheme, s, base);
    *ret_unknown = !is_one_of(scheme, ours);
    return s + n + 3;
}

static int conninfo_set(struct sr_pg_params *p, const char *text, const char *setting,
                        struct sr_error *err)
{
    char *said = NULL;
    PQconninfoOption *opts = PQconninfoParse(text, &said);
    if (!opts) {
        /* libpq's message may repeat a part of the text, so it is not passed on. */
        PQfreemem(said);
        return sr_fail(err, SR_E_CONFIG,
                       "%s is neither a URL (postgresql://user:password@host:port/database) nor a "
                       "list of keyword=value pairs; values with blanks need single quotes",
                       setting);
    }
    int rc = SR_OK;
    for (const PQconninfoOption *o = opts; o->keyword && rc == SR_OK; o++)
        if (o->val && strcmp(o->keyword, "replication") != 0)
            rc = sr_pg_params_set(p, o->keyword, o->val);
    PQconninfoFree(opts);
    return rc == SR_OK ? rc : sr_fail(err, rc, "reading %s: %s", setting, sr_code_name(rc));
}

int sr_pg_params_from_text(const char *text, const char *setting, struct sr_pg_params *p,
                           struct sr_error *err)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t len = strnlen(text, TEXT_MAX + 1);
    if (len > TEXT_MAX)
        return sr_fail(err, SR_E_CONFIG, "%s is longer than %d bytes", setting, TEXT_MAX);
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    char *copy = strndup(text, len);
    if (!copy)
        return sr_fail(err, SR_E_NO_MEMORY, "reading %s: out of memory", setting);
    struct sr_pg_params mine = {0};
    int unknown = 0, rc;
    const char *rest = after_scheme(copy, &unknown);
    if (len == 0)
        rc = sr_fail(err, SR_E_CONFIG, "%s is empty", setting);
    else if (rest && unknown)
        rc = sr_fail(err, SR_E_CONFIG,
                     "%s begins with \"%.*s\": only PostgreSQL can be dumped "
                     "(postgresql://user:password@host:port/database)",
                     setting, (int)strcspn(copy, ":"), copy);
    else if (rest)
        rc = url_set(&mine, (struct span){rest, strlen(rest)}, setting, err);
    else
        rc = conninfo_set(&mine, copy, setting, err);
    explicit_bzero(copy, len);
    free(copy);
    for (size_t i = 0; i < mine.keys.len && rc == SR_OK; i++)
        rc = sr_pg_params_set(p, mine.keys.items[i], mine.values.items[i]);
    sr_pg_params_done(&mine);
    return rc;
}
