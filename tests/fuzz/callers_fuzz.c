/*
 * Any bytes as a callers-file. Each user that stands in it is found, with the hash of its line; who
 * does not gets one that no password fits; and a sentence shows no hash.
 */
#include <stdlib.h>

#include "base/diag.h"
#include "base/mem.h"
#include "config/callers.h"
#include "http/chars.h"
#include "memory_file.h"

static bool is_comment(struct slice line)
{
    return slice_trim(line).n == 0 || line.p[0] == '#';
}

static struct slice without_cr(struct slice line)
{
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

static void check_lines(const struct callers *c, struct slice text)
{
    if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
        text = (struct slice){text.p + 3, text.n - 3};
    while (text.n > 0) {
        struct slice hash = without_cr(slice_split(&text, '\n'));
        if (is_comment(hash))
            continue;
        struct slice user = slice_split(&hash, ':');
        const char *found = callers_hash(c, user);
        if (!slice_eq(slice_of(found), hash) || hash.n >= CALLER_HASH_SIZE)
            abort();
        struct slice other = {user.p, user.n - 1};
        (void)callers_is_bcrypt(callers_hash(c, other));
    }
}

/* Blanks and marks may stand in a user's name as well. */
static bool looks_secret(struct slice line)
{
    size_t n = 0;

    for (size_t i = 0; i < line.n; i++)
        n += char_is(line.p[i], CHAR_HOST);
    return n >= 16;
}

static bool holds(struct slice text, struct slice part)
{
    return memmem(text.p, text.n, part.p, part.n) != NULL;
}

/* A user may be shown, and may hold the same bytes as another line. */
static bool is_in_user(struct slice text, struct slice part)
{
    while (text.n > 0) {
        struct slice line = slice_split(&text, '\n');
        if (memchr(line.p, ':', line.n) != NULL && holds(slice_split(&line, ':'), part))
            return true;
    }
    return false;
}

/* A line without ':' is shown to nobody, for it may be a password. */
static void check_sentence(const char *sentence, struct slice text)
{
    struct slice rest = text;

    if (sentence[0] == '\0')
        abort();
    while (rest.n > 0) {
        struct slice line = without_cr(slice_split(&rest, '\n'));
        if (line.n < 24 || !looks_secret(line) || memchr(line.p, ':', line.n) != NULL ||
            is_comment(line) || is_in_user(text, line))
            continue;
        if (holds(slice_of(sentence), line) &&
            !holds(
                SLICE("the user is empty or has a control character in it; write it as it is sent"),
                line))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct memory_file file;
    char *bytes = mem_copy_bytes((const char *)data, size);
    struct slice text = {bytes, size};
    struct callers *c = NULL;
    struct diag why = {""};

    if (callers_load(memory_file_set(&file, text), &c, &why) == ST_OK) {
        check_lines(c, text);
        const char *nobody = callers_hash(c, SLICE("nobody:has this name"));
        if (nobody[0] != '$' || strlen(nobody) >= CALLER_HASH_SIZE)
            abort();
        (void)callers_costs_differ(c);
        (void)callers_stranger(c, "ACME");
        callers_free(c);
    } else {
        check_sentence(why.text, text);
    }
    free(bytes);
    return 0;
}
