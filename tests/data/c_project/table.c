#include "parts.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash(const char *word)
{
	uint64_t h = 14695981039346656037ull;
	while (*word)
		h = (h ^ (unsigned char)*word++) * 1099511628211ull;
	return h;
}

static struct entry *slot(struct entry *entries, size_t room, const char *word)
{
	size_t at = hash(word) & (room - 1);
	while (entries[at].word && strcmp(entries[at].word, word))
		at = (at + 1) & (room - 1);
	return entries + at;
}

static void grow(struct table *t)
{
	size_t room = t->room ? t->room * 2 : 64;
	struct entry *entries = calloc(room, sizeof(*entries));
	if (!entries)
		abort();
	for (size_t i = 0; i < t->room; i++)
		if (t->entries[i].word)
			*slot(entries, room, t->entries[i].word) = t->entries[i];
	free(t->entries);
	t->entries = entries;
	t->room = room;
}

struct entry *table_find(struct table *t, const char *word)
{
	if (t->used * 2 >= t->room)
		grow(t);
	struct entry *found = slot(t->entries, t->room, word);
	if (!found->word) {
		found->word = strdup(word);
		t->used++;
	}
	return found;
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->room; i++)
		free(t->entries[i].word);
	free(t->entries);
}
