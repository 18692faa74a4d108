#include "config.h"
#include "core/cli/screen.h"
#include "core/util/error.h"

#include <string.h>

size_t sr_utf8_decode(const char *s, size_t len, uint32_t *ret)
{
    const unsigned char *u = (const unsigned char *)s;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (len == 0)
        return 0;
    if (u[0] < 0x80) {
        *ret = u[0];
        return 1;
    }
    size_t n = (u[0] & 0xE0) == 0xC0   ? 2
               : (u[0] & 0xF0) == 0xE0 ? 3
               : (u[0] & 0xF8) == 0xF0 ? 4
                                       : 0;
    if (n == 0 || n > len)
        return 0;
    uint32_t c = u[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((u[i] & 0xC0) != 0x80)
            return 0;
        c = (c << 6) | (u[i] & 0x3Fu);
    }
    if (c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return 0;
    *ret = c;
    return n;
}

static int is_direction_mark(uint32_t c)
{
    return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E ||
           c == 0x200F || c == 0x061C || c == 0x2028 || c == 0x2029 || c == 0xFEFF;
}

/* Bytes of printable ASCII that s begins with. */
static size_t plain_length(const char *s)
{
    size_t n = 0;
    while (s[n] >= ' ' && s[n] <= '~')
        n++;
    return n;
}

int sr_screen_add(struct sr_buf *b, const char *s, int keep_lines)
{
    int rc = SR_OK;
    for (size_t left = strlen(s); left > 0 && rc == SR_OK;) {
        uint32_t c = 0;
        size_t n = plain_length(s); /* most of a long table is nothing else */
        if (n == 0)
            n = sr_utf8_decode(s, left, &c);
        else
            c = ' ';
        if (n == 0)
            rc = sr_buf_printf(b, "\\x%02X", (unsigned char)*s);
        else if (keep_lines && (c == '\n' || c == '\t'))
            rc = sr_buf_addc(b, (char)c);
        else if (c == '\n')
            rc = sr_buf_adds(b, "\\n");
        else if (c == '\t')
            rc = sr_buf_adds(b, "\\t");
        else if (c < 0x20 || (c >= 0x7F && c < 0xA0))
            rc = sr_buf_printf(b, "\\x%02X", (unsigned)c);
        else if (is_direction_mark(c))
            rc = sr_buf_printf(b, "\\u{%04X}", (unsigned)c);
        else
            rc = sr_buf_add(b, s, n);
        n = n ? n : 1;
        s += n;
        left -= n;
    }
    return rc;
}

char *sr_screen_clean(const char *s)
{
    struct sr_buf b;
    /* An escape is at most eight bytes for a character. */
    sr_buf_init(&b, s ? strlen(s) * 8 + 1 : 1);
    if (s && sr_screen_add(&b, s, 0) != SR_OK) {
        sr_buf_done(&b);
        return NULL;
    }
    return sr_buf_steal(&b);
}

static size_t char_width(uint32_t c)
{
    /* The ranges that matter in names of tables and people; a terminal's own table is longer. */
    static const struct {
        uint32_t from, to;
        size_t width;
    } ranges[] = {
        {0x0300, 0x036F, 0},   {0x0483, 0x0489, 0},   {0x0591, 0x05BD, 0},   {0x064B, 0x065F, 0},
        {0x1100, 0x115F, 2},   {0x1AB0, 0x1AFF, 0},   {0x1DC0, 0x1DFF, 0},   {0x200B, 0x200D, 0},
        {0x20D0, 0x20FF, 0},   {0x2E80, 0x303E, 2},   {0x3041, 0x33FF, 2},   {0x3400, 0x4DBF, 2},
        {0x4E00, 0x9FFF, 2},   {0xA000, 0xA4CF, 2},   {0xAC00, 0xD7A3, 2},   {0xF900, 0xFAFF, 2},
        {0xFE00, 0xFE0F, 0},   {0xFE30, 0xFE4F, 2},   {0xFF00, 0xFF60, 2},   {0xFFE0, 0xFFE6, 2},
        {0x1F300, 0x1F64F, 2}, {0x1F900, 0x1F9FF, 2}, {0x20000, 0x3FFFD, 2},
    };
    if (c < ranges[0].from)
        return 1;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i].from && c <= ranges[i].to)
            return ranges[i].width;
    return 1;
}

/* Walks s until its end or past width columns; tells bytes and columns of what fits. */
static size_t walk(const char *s, size_t width, size_t *ret_columns)
{
    size_t at = 0, columns = 0;
    for (size_t left = strlen(s); left > 0;) {
        uint32_t c = 0;
        size_t n = sr_utf8_decode(s + at, left, &c);
        size_t w = n ? char_width(c) : 1;
        n = n ? n : 1;
        if (columns + w > width)
            break;
        columns += w;
        at += n;
        left -= n;
    }
    *ret_columns = columns;
    return at;
}

size_t sr_screen_width(const char *s)
{
    size_t columns;
    (void)walk(s, SIZE_MAX, &columns);
    return columns;
}

size_t sr_screen_cut(const char *s, size_t width)
{
    size_t columns;
    return walk(s, width, &columns);
}

static int add_blanks(struct sr_buf *b, size_t n)
{
    int rc = SR_OK;
    while (n-- > 0 && rc == SR_OK)
        rc = sr_buf_addc(b, ' ');
    return rc;
}

/* One paragraph (no newline in it). */
static int wrap_words(struct sr_buf *b, const char *s, size_t len, size_t indent, size_t width)
{
    size_t column = 0;
    int rc = SR_OK;
    while (len > 0 && rc == SR_OK) {
        size_t blank = 0;
        while (blank < len && s[blank] == ' ')
            blank++;
        s += blank;
        len -= blank;
        size_t word = 0;
        while (word < len && s[word] != ' ')
            word++;
        if (word == 0)
            break;
        if (column > 0 && column + 1 + word > width) {
            rc = sr_buf_addc(b, '\n');
            column = 0;
        }
        if (rc == SR_OK)
            rc = column > 0 ? sr_buf_addc(b, ' ') : add_blanks(b, indent);
        column += column > 0 ? 1 : indent;
        if (rc == SR_OK)
            rc = sr_buf_add(b, s, word);
        column += word;
        s += word;
        len -= word;
    }
    return rc == SR_OK ? sr_buf_addc(b, '\n') : rc;
}

int sr_screen_wrap(struct sr_buf *b, const char *text, size_t indent, size_t width)
{
    int rc = SR_OK;
    while (*text && rc == SR_OK) {
        size_t len = strcspn(text, "\n");
        if (len == 0) {
            rc = sr_buf_addc(b, '\n');
        } else if (*text == ' ') {
            rc = add_blanks(b, indent);
            if (rc == SR_OK)
                rc = sr_buf_add(b, text, len);
            if (rc == SR_OK)
                rc = sr_buf_addc(b, '\n');
        } else {
            rc = wrap_words(b, text, len, indent, width);
        }
        text += len + (text[len] == '\n');
    }
    return rc;
}
