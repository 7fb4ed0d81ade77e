#include "config/callers.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "http/basic.h"

struct caller {
    char *user;
    char hash[CALLER_HASH_SIZE];
    int line;
};

struct callers {
    struct caller *callers; /* sorted by user */
    size_t count;
    bool costs_differ;
    unsigned dearest;
    /* no password fits it, and it costs as much as the dearest hash */
    char nobody[CALLER_HASH_SIZE];
};

/* ---- hashes ---- */

enum verdict { HASH_SOUND, HASH_DAMAGED, HASH_DEAR, HASH_OTHER };

enum { BCRYPT_SIZE = 60, BCRYPT_SALT_END = 29, YESCRYPT_DIGEST = 43, YESCRYPT_SALT_MAX = 86 };

static const char bcrypt_digits[] =
    "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
static const char yescrypt_digits[] =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* The costs that crypt_gensalt(3) writes. Weights are in units of bcrypt's cost, which is a power
 * of 2. */
static const struct {
    const char *text;
    unsigned weight;
} yescrypt_costs[] = {{"j75", 20}, {"j85", 33}, {"j7T", 70}, {"j8T", 135}, {"j9T", 270}};

/* The value of a digit; -1 if the character is not a digit. */
static int digit_of(const char *digits, char c)
{
    const char *at = c == '\0' ? NULL : strchr(digits, c);

    return at == NULL ? -1 : (int)(at - digits);
}

static bool are_digits(const char *digits, struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (digit_of(digits, s.p[i]) < 0)
            return false;
    return true;
}

static bool begins_with(struct slice s, const char *prefix)
{
    size_t n = strlen(prefix);

    return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

bool callers_is_bcrypt(const char *hash)
{
    return hash[1] == '2';
}

/* $2b$CC$, then 22 digits of salt and 31 digits of digest. The unused bits of the last digits have
 * to be zero, because crypt(3) never returns a hash in which they are set. */
static enum verdict judge_bcrypt(struct slice hash, unsigned *weight)
{
    uint64_t cost;

    if (hash.n != BCRYPT_SIZE || hash.p[6] != '$' ||
        !slice_to_u64((struct slice){hash.p + 4, 2}, 31, &cost) || cost < 4 ||
        !are_digits(bcrypt_digits, (struct slice){hash.p + 7, hash.n - 7}) ||
        digit_of(bcrypt_digits, hash.p[BCRYPT_SALT_END - 1]) % 16 != 0 ||
        digit_of(bcrypt_digits, hash.p[BCRYPT_SIZE - 1]) % 4 != 0)
        return HASH_DAMAGED;
    *weight = 1u << cost;
    return cost > 12 ? HASH_DEAR : HASH_SOUND;
}

/* The text consists of digits of six bits, lowest first. Together they have to make whole bytes. */
static bool is_yescrypt_text(struct slice s)
{
    /* limit of the last digit, by the number of digits modulo 4 */
    static const int end[] = {64, 0, 4, 16};

    return s.n > 0 && are_digits(yescrypt_digits, s) &&
           digit_of(yescrypt_digits, s.p[s.n - 1]) < end[s.n % 4];
}

/* $y$COST$salt$digest */
static enum verdict judge_yescrypt(struct slice hash, unsigned *weight)
{
    struct slice digest = {hash.p + 3, hash.n - 3};
    struct slice cost = slice_split(&digest, '$'), salt = slice_split(&digest, '$');

    if (cost.n == 0 || salt.n > YESCRYPT_SALT_MAX || digest.n != YESCRYPT_DIGEST ||
        !is_yescrypt_text(salt) || !is_yescrypt_text(digest))
        return HASH_DAMAGED;
    for (size_t i = 0; i < ARRAY_LEN(yescrypt_costs); i++) {
        if (!slice_eq(cost, slice_of(yescrypt_costs[i].text)))
            continue;
        *weight = yescrypt_costs[i].weight;
        return HASH_SOUND;
    }
    return HASH_DEAR;
}

static enum verdict judge_hash(struct slice hash, unsigned *weight)
{
    if (begins_with(hash, "$2a$") || begins_with(hash, "$2b$") || begins_with(hash, "$2y$"))
        return judge_bcrypt(hash, weight);
    return begins_with(hash, "$y$") ? judge_yescrypt(hash, weight) : HASH_OTHER;
}

/* Copies a hash, but with a last digit that no digest can end in (see judge_bcrypt() and
 * is_yescrypt_text()), so that no password fits. */
static void become_nobody(struct callers *c, const char *hash)
{
    size_t n = strlen(hash);

    memcpy(c->nobody, hash, n + 1);
    c->nobody[n - 1] = callers_is_bcrypt(hash) ? '9' : 'z';
}

/* ---- lines ---- */

/* RFC 7617, 2: a user's name cannot contain control characters. */
static bool is_user(struct slice user)
{
    for (size_t i = 0; i < user.n; i++)
        if ((unsigned char)user.p[i] < ' ' || user.p[i] == 0x7f)
            return false;
    return user.n > 0;
}

static enum status refuse_hash(enum verdict v, const char *path, int line, struct slice user,
                               struct diag *why)
{
    static const char *const flaws[] = {
        [HASH_DAMAGED] = "is damaged",
        [HASH_DEAR] = "costs more than is served here (bcrypt up to 12, yescrypt up to j9T)",
        [HASH_OTHER] = "is of no kind that is served here (bcrypt and yescrypt are)",
    };

    diag_at_line(why, path, line,
                 "the hash of user `%.*s` %s; set the password again with `htpasswd -B -C 10 %s "
                 "'%.*s'`",
                 (int)user.n, user.p, flaws[v], path, (int)user.n, user.p);
    return ST_BAD_INPUT;
}

static void add(struct callers *c, struct slice user, struct slice hash, unsigned weight, int line)
{
    c->callers = mem_grow(c->callers, (c->count + 1) * sizeof(c->callers[0]));
    struct caller *new = &c->callers[c->count++];
    *new = (struct caller){.user = mem_copy_bytes(user.p, user.n), .line = line};
    memcpy(new->hash, hash.p, hash.n);
    c->costs_differ = c->costs_differ || (c->count > 1 && weight != c->dearest);
    if (weight <= c->dearest)
        return;
    c->dearest = weight;
    become_nobody(c, new->hash);
}

/* A line without ':' may be a password, so the sentence shows nothing of it. */
static enum status read_line(struct callers *c, const char *path, struct slice text, int line,
                             struct diag *why)
{
    unsigned weight = 0;

    if (text.n > 0 && text.p[text.n - 1] == '\r')
        text.n--;
    if (slice_trim(text).n == 0 || text.p[0] == '#')
        return ST_OK;
    if (memchr(text.p, ':', text.n) == NULL) {
        diag_at_line(why, path, line,
                     "is not `user:hash`; write the line with `htpasswd -B -C 10 %s USER`", path);
        return ST_BAD_INPUT;
    }
    struct slice hash = text, user = slice_split(&hash, ':');
    if (!is_user(user)) {
        diag_at_line(why, path, line,
                     "the user is empty or has a control character in it; write it as it is "
                     "sent");
        return ST_BAD_INPUT;
    }
    enum verdict v = judge_hash(hash, &weight);
    if (v != HASH_SOUND)
        return refuse_hash(v, path, line, user, why);
    add(c, user, hash, weight, line);
    return ST_OK;
}

static enum status read_lines(struct callers *c, const char *path, struct slice text,
                              struct diag *why)
{
    int line = 0;

    utf8_skip_mark(&text);
    if (utf8_is_16(text)) {
        diag_at(why, path, "is UTF-16 text; save it as UTF-8");
        return ST_BAD_INPUT;
    }
    while (text.n > 0) {
        enum status st = read_line(c, path, slice_split(&text, '\n'), ++line, why);
        if (st != ST_OK)
            return st;
    }
    if (c->count > 0)
        return ST_OK;
    diag_at(why, path,
            "names no user, so every call would be refused; add a user with `htpasswd -B -C 10 %s "
            "USER`",
            path);
    return ST_BAD_INPUT;
}

/* ---- the whole ---- */

static int compare(const void *a, const void *b)
{
    const struct caller *x = a, *y = b;
    int order = strcmp(x->user, y->user);

    return order != 0 ? order : x->line - y->line;
}

static enum status sort(struct callers *c, const char *path, struct diag *why)
{
    qsort(c->callers, c->count, sizeof(c->callers[0]), compare);
    for (size_t i = 1; i < c->count; i++) {
        const struct caller *a = &c->callers[i - 1], *b = &c->callers[i];
        if (strcmp(a->user, b->user) != 0)
            continue;
        diag_at_line(why, path, b->line,
                     "user `%s` appears a second time (first at %s:%d); keep one of the lines",
                     b->user, path, a->line);
        return ST_BAD_INPUT;
    }
    return ST_OK;
}

enum status callers_load(const char *path, struct callers **out, struct diag *why)
{
    struct buf text = {0};
    enum status st = file_read(path, &text, why);

    if (st != ST_OK)
        return st;
    struct callers *c = NEW(struct callers);
    st = read_lines(c, path, buf_slice(&text), why);
    file_wipe(&text);
    if (st == ST_OK)
        st = sort(c, path, why);
    if (st == ST_OK)
        *out = c;
    else
        callers_free(c);
    return st;
}

void callers_free(struct callers *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->count; i++)
        free(c->callers[i].user);
    free(c->callers);
    free(c);
}

static int compare_user(const void *key, const void *entry)
{
    const struct slice *user = key;
    const struct caller *c = entry;
    size_t n = strlen(c->user);
    int order = memcmp(user->p, c->user, user->n < n ? user->n : n);

    return order != 0 ? order : (user->n > n) - (user->n < n);
}

static const struct caller *find(const struct callers *c, struct slice user)
{
    return user.n == 0 ? NULL
                       : bsearch(&user, c->callers, c->count, sizeof(c->callers[0]), compare_user);
}

const char *callers_hash(const struct callers *c, struct slice user)
{
    const struct caller *found = find(c, user);

    return found == NULL ? c->nobody : found->hash;
}

bool callers_have(const struct callers *c, struct slice user)
{
    return find(c, user) != NULL;
}

bool callers_costs_differ(const struct callers *c)
{
    return c->costs_differ;
}

int callers_stranger(const struct callers *c, const char *company_id)
{
    char company[BASIC_MAX_COMPANY];

    for (size_t i = 0; i < c->count; i++) {
        enum basic_result said = basic_company_of(slice_of(c->callers[i].user), company);
        if (said == BASIC_ODD || (said == BASIC_NAMED && strcmp(company, company_id) != 0))
            return c->callers[i].line;
    }
    return 0;
}
