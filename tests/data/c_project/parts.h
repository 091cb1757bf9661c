#ifndef PARTS_H
#define PARTS_H
#include <stddef.h>

struct buffer { char *text; size_t used, room; };
void buffer_add(struct buffer *b, const char *text, size_t length);
void buffer_free(struct buffer *b);

struct node { struct node *next; char *word; };
struct node *list_push(struct node *head, const char *word);
void list_free(struct node *head);

struct entry { char *word; unsigned long count; };
struct table { struct entry *entries; size_t used, room; };
struct entry *table_find(struct table *t, const char *word);
void table_free(struct table *t);

struct tree { struct tree *left, *right; struct entry *entry; };
struct tree *tree_put(struct tree *at, struct entry *entry);
size_t tree_depth(const struct tree *at);
void tree_free(struct tree *at);

struct node *words_of(const char *text);
void sort_entries(struct entry *entries, size_t count);
void json_entries(struct buffer *out, const struct entry *entries, size_t count);
#endif
