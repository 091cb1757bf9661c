#include "parts.h"
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct tree *tree_put(struct tree *at, struct entry *entry)
{
	if (!at) {
		at = calloc(1, sizeof(*at));
		assert(at);
		at->entry = entry;
	} else if (strcmp(entry->word, at->entry->word) < 0) {
		at->left = tree_put(at->left, entry);
	} else {
		at->right = tree_put(at->right, entry);
	}
	return at;
}

size_t tree_depth(const struct tree *at)
{
	if (!at)
		return 0;
	size_t left = tree_depth(at->left), right = tree_depth(at->right);
	return 1 + (left > right ? left : right);
}

void tree_free(struct tree *at)
{
	if (at) {
		tree_free(at->left);
		tree_free(at->right);
		free(at);
	}
}
