#include "parts.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void json_entries(struct buffer *out, const struct entry *entries, size_t count)
{
	char line[128];
	buffer_add(out, "[", 1);
	for (size_t i = 0; i < count; i++) {
		int length = snprintf(line, sizeof(line), "%s\n {\"word\": \"%s\", \"count\": %lu}", i ? "," : "", entries[i].word,
				      entries[i].count);
		buffer_add(out, line, (size_t)length);
	}
	buffer_add(out, "\n]\n", 3);
}
