/*
 * Any bytes as a value of Proxy-Authenticate: each challenge is inside of what was read, in its
 * order, and what Digest answers to it holds no line end.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "http/challenge.h"
#include "http/chars.h"
#include "tls/digest_auth.h"

static void check_inside(struct slice part, struct slice whole)
{
    if (part.n > 0 && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
        abort();
}

static void answer(const struct challenge *c)
{
    struct buf realm = {0}, nonce = {0}, out = {0};

    if (challenge_param(c, "realm", &realm) && challenge_param(c, "nonce", &nonce)) {
        const struct digest_challenge d = {
            .realm = buf_slice(&realm), .nonce = buf_slice(&nonce), .has_qop = true};
        const struct digest_request r = {"CONNECT", "a:1", "user", SLICE("secret"), 1, NULL};
        if (digest_auth_write(&out, &d, &r) && !chars_are(buf_slice(&out), CHAR_VALUE))
            abort();
    }
    buf_free(&realm);
    buf_free(&nonce);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice whole = {(const char *)data, size}, rest = whole;
    struct challenge c;

    if (!chars_are(whole, CHAR_VALUE))
        return 0; /* no value of a field */
    while (challenge_next(&rest, &c)) {
        check_inside(c.scheme, whole);
        check_inside(c.token, whole);
        check_inside(c.params, whole);
        answer(&c);
    }
    return 0;
}
