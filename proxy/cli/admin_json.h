/*
 * admin_json: reads single members of the admin listener's answers. Its own
 * file, because names of jansson and of the configuration collide.
 */
#ifndef CLI_ADMIN_JSON_H
#define CLI_ADMIN_JSON_H

/* path: for example "configuration.refused.reason". NULL or 0 if there is no such member. The user
 * frees the text. */
char *admin_json_text(const char *json, const char *path);
long long admin_json_number(const char *json, const char *path);

#endif
