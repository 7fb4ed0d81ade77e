/*
 * The loaded private keys, found by the bytes that they were read from. If a
 * file is read again, by a reload or for another tenant, the same key is used,
 * and memory holds it only once. Any thread.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/mem.h"
#include "tls/credential_parts.h"

struct known_key {
    struct list node;
    EVP_PKEY *key;
    unsigned users; /* number of credentials */
    unsigned char mac[SECRET_MAC_SIZE];
};

static struct list known = {&known, &known};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static unsigned char mac_key[SECRET_KEY_SIZE];

static void make_mac_key(void)
{
    secret_make_key(mac_key);
}

void credential_keys_mac(struct slice file, const struct buf *passphrase,
                         unsigned char out[SECRET_MAC_SIZE])
{
    const struct slice parts[] = {file, passphrase->p == NULL ? SLICE("none") : SLICE("this"),
                                  buf_slice(passphrase)};

    (void)pthread_once(&once, make_mac_key);
    secret_mac(mac_key, parts, ARRAY_LEN(parts), out);
}

EVP_PKEY *credential_keys_find(const unsigned char mac[SECRET_MAC_SIZE])
{
    EVP_PKEY *found = NULL;

    (void)pthread_mutex_lock(&lock);
    list_each (node, &known) {
        struct known_key *k = list_entry(node, struct known_key, node);
        if (secret_equal(k->mac, mac, SECRET_MAC_SIZE) && EVP_PKEY_up_ref(k->key) == 1) {
            found = k->key;
            break;
        }
    }
    (void)pthread_mutex_unlock(&lock);
    return found;
}

static struct known_key *find_key(const EVP_PKEY *key)
{
    list_each (node, &known) {
        struct known_key *k = list_entry(node, struct known_key, node);
        if (k->key == key)
            return k;
    }
    return NULL;
}

void credential_keys_hold(EVP_PKEY *key, const unsigned char mac[SECRET_MAC_SIZE])
{
    (void)pthread_mutex_lock(&lock);
    struct known_key *k = find_key(key);
    if (k == NULL && EVP_PKEY_up_ref(key) == 1) {
        k = NEW(struct known_key);
        k->key = key;
        memcpy(k->mac, mac, SECRET_MAC_SIZE);
        list_append(&known, &k->node);
    }
    if (k != NULL)
        k->users++;
    (void)pthread_mutex_unlock(&lock);
}

void credential_keys_release(const EVP_PKEY *key)
{
    (void)pthread_mutex_lock(&lock);
    struct known_key *k = find_key(key);
    if (k != NULL && --k->users == 0) {
        list_remove(&k->node);
        EVP_PKEY_free(k->key);
        free(k);
    }
    (void)pthread_mutex_unlock(&lock);
}
