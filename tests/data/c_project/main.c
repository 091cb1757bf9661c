#include "parts.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

int main(void)
{
	struct buffer text = {0}, out = {0};
	struct table table = {0};
	struct tree *tree = NULL;
	char chunk[4096];
	ssize_t got;
	while ((got = read(0, chunk, sizeof(chunk))) > 0)
		buffer_add(&text, chunk, (size_t)got);
	struct node *words = words_of(text.text ? text.text : "");
	for (struct node *at = words; at; at = at->next)
		table_find(&table, at->word)->count++;
	struct entry *entries = calloc(table.used + 1, sizeof(*entries));
	size_t count = 0;
	for (size_t i = 0; i < table.room; i++)
		if (table.entries[i].word) {
			entries[count++] = table.entries[i];
			tree = tree_put(tree, table.entries + i);
		}
	sort_entries(entries, count);
	json_entries(&out, entries, count);
	fputs(out.text, stdout);
	fprintf(stderr, "%zu words, a tree %zu deep\n", count, tree_depth(tree));
	tree_free(tree);
	list_free(words);
	table_free(&table);
	free(entries);
	buffer_free(&text);
	buffer_free(&out);
	return 0;
}
