#include "parts.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_count(const void *a, const void *b)
{
	const struct entry *first = a, *second = b;
	if (first->count != second->count)
		return first->count < second->count ? 1 : -1;
	return strcmp(first->word, second->word);
}

void sort_entries(struct entry *entries, size_t count)
{
	qsort(entries, count, sizeof(*entries), by_count);
}
