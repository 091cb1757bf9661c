#include "parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buffer_add(struct buffer *b, const char *text, size_t length)
{
	if (b->used + length + 1 > b->room) {
		b->room = (b->used + length + 1) * 2;
		b->text = realloc(b->text, b->room);
		if (!b->text) {
			perror("realloc");
			exit(1);
		}
	}
	memcpy(b->text + b->used, text, length);
	b->used += length;
	b->text[b->used] = '\0';
}

void buffer_free(struct buffer *b)
{
	free(b->text);
	memset(b, 0, sizeof(*b));
}
